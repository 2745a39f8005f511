"""What is said of a take by itself, and of the gates before it."""

import datetime
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from app.recording.checks import EpisodeFacts, pace, verdicts
from app.recording.gates import gates
from app.recording.plan import Choice, RecordingPlan, read_remembered
from hardware.recording.capture import CaptureStatus
from hardware.recording.flaws import Flaw
from hardware.recording.note import EpisodeNote
from hardware.recording.quality import quality
from hardware.stream import SIMULATED, Picture, Reading, StreamHealth, StreamInfo
from tests.hardware.recording.sources import info, pose

T = np.arange(90) / 30.0
FINE = {"sharpness": 1.0, "brightness": 0.4, "dark": 0.1, "bright": 0.0}


def facts(**changes: object) -> EpisodeFacts:
    good = EpisodeFacts(
        span=(0.0, 3.0),
        times={"top": T, "side": T + 0.004, "t265": T, "force": T},
        rates=dict.fromkeys(("top", "side", "t265", "force"), 30.0),
        cameras=("top", "side"),
        flaws=(),
        pictures={"top": tuple((k * 0.5, FINE) for k in range(6))},
        poses={"t265": tuple(pose("t265", k, k / 30) for k in range(90))},
        forces={"force": tuple(Reading("force", k, k / 30, 0.0, 0.05) for k in range(90))},
    )
    return replace(good, **changes)  # type: ignore[arg-type]


def found(**changes: object) -> list[tuple[str, str, str]]:
    return [(v.check, v.level, v.stream) for v in verdicts(facts(**changes))]


def test_a_good_take_has_no_verdict() -> None:
    assert found() == []


@pytest.mark.parametrize(("seconds", "level"), [(0.4, "mark"), (1.4, "bad")])
def test_a_flaw_under_a_second_marks_a_take_and_a_longer_one_makes_it_bad(seconds: float, level: str) -> None:
    flaw = Flaw("top", "stalled", 2.0, round(seconds * 30), seconds, "silent")
    assert found(flaws=(flaw,)) == [("drops", level, "top")]


def test_cameras_that_are_out_of_step_are_told() -> None:
    assert found(times={"top": T, "side": np.r_[T[:80], T[80:] + 0.5], "t265": T, "force": T}) == [
        ("skew", "mark", "side")
    ]


def test_a_blurred_stretch_is_found_by_the_takes_own_sharpness() -> None:
    states = tuple((k * 0.5, {**FINE, "sharpness": 0.3 if k == 3 else 1.0}) for k in range(6))
    (verdict,) = verdicts(facts(pictures={"top": states}))
    assert (verdict.check, verdict.level, verdict.spans) == ("blur", "mark", ((1.5, 2.0),))


def test_a_picture_that_shows_nothing_for_want_of_light_is_told_and_a_black_table_is_not() -> None:
    dark = tuple((k * 0.5, {**FINE, "brightness": 0.02, "dark": 0.95}) for k in range(6))
    assert found(pictures={"top": dark}) == [("exposure", "bad", "top")]
    table = tuple((k * 0.5, {**FINE, "brightness": 0.1, "dark": 0.1}) for k in range(6))
    assert found(pictures={"top": table}) == []
    white = tuple((k * 0.5, {**FINE, "bright": 0.6}) for k in range(6))
    assert found(pictures={"top": white}) == [("exposure", "bad", "top")]


def test_a_force_sensor_that_was_not_zeroed_is_told() -> None:
    readings = tuple(Reading("force", k, k / 30, 0.0, 1.3) for k in range(90))
    assert found(forces={"force": readings}) == [("force zero", "bad", "force")]


def test_an_unsure_pose_marks_and_a_moved_reference_spoils() -> None:
    unsure = tuple(pose("t265", k, k / 30, confidence=1 if k < 10 else 3) for k in range(90))
    assert found(poses={"t265": unsure}) == [("pose confidence", "mark", "t265")]
    moved = tuple(replace(p, relocalised=p.index == 50) for p in facts().poses["t265"])
    assert found(poses={"t265": moved}) == [("pose confidence", "bad", "t265")]


def test_a_tool_that_no_sensor_sees_is_told_and_a_missed_picture_is_not() -> None:
    lost = tuple(pose("t265", k, k / 30, confidence=0 if 30 <= k < 75 else 3) for k in range(90))
    (verdict,) = verdicts(facts(poses={"t265": lost}))
    assert (verdict.check, verdict.level, verdict.stream) == ("tool tracking", "bad", "t265")
    assert verdict.spans == ((1.0, 2.5),)
    hidden = {5, 40, *range(60, 72)}
    readings = tuple(Reading("opening", k, k / 30, 0.0, 0.05, k not in hidden) for k in range(90))
    (verdict,) = verdicts(facts(openings={"opening": readings}))
    assert (verdict.check, verdict.level) == ("tool tracking", "mark")
    assert len(verdict.spans) == 1


def test_a_simulated_camera_is_held_to_the_rate_that_it_reached() -> None:
    drawn = replace(info("top", rate_hz=10.0), link=SIMULATED)
    slow = np.arange(20) * 0.4
    assert pace(drawn, slow) == pytest.approx(2.5)
    assert pace(replace(drawn, link="USB 3.2"), slow) == 10.0
    rates = {"top": 2.5, "side": 2.5, "t265": 30.0, "force": 30.0}
    assert found(times={"top": slow, "side": slow + 0.2, "t265": T, "force": T}, rates=rates) == []


def test_a_take_started_by_mistake_is_told() -> None:
    assert found(span=(0.0, 0.4))[0] == ("length", "bad", "")


def test_sharpness_falls_with_blur_whatever_the_picture_shows() -> None:
    rng = np.random.default_rng(0)
    for density in (0.02, 0.4):
        dots = np.kron((rng.random((60, 80)) < density) * 200, np.ones((4, 4))).astype(np.uint8)
        blurred = cv2.GaussianBlur(dots, (0, 0), 3)
        sharp, soft = (quality(Picture("top", 0, 0.0, 0.0, np.dstack([p] * 3))).sharpness for p in (dots, blurred))
        assert soft < 0.55 * sharp


HEALTH = StreamHealth(100, 30.0, 0.03, 0, True)


def closed(
    streams: dict[str, StreamInfo], folder: Path, status: CaptureStatus | None = None, **more: object
) -> dict[str, str]:
    status = status or CaptureStatus(dict.fromkeys(streams, HEALTH), {}, {}, None)
    options = {"writable": True, "scene": (), "today": datetime.date(2026, 6, 1), **more}
    return {g.name: g.text for g in gates(streams, status, folder, **options) if not g.open}  # type: ignore[arg-type]


def test_gates_open_for_a_rig_that_is_ready_and_say_what_is_wrong_otherwise(tmp_path: Path) -> None:
    streams = {"top": info("top"), "force": info("force", "force")}
    assert closed(streams, tmp_path) == {}
    assert "no device" in closed({}, tmp_path)["streams"]
    silent = replace(HEALTH, age_s=4.0)
    gone = replace(HEALTH, connected=False, problem="top: unplugged; plug it in")
    for health, words in ((silent, "silent for 4 s"), (gone, "unplugged")):
        status = CaptureStatus({"top": health, "force": HEALTH}, {}, {}, None)
        assert words in closed(streams, tmp_path, status)["streams"]
    assert "bare scene" in closed(streams, tmp_path, scene=None)["scene"]
    assert "another" in closed(streams, tmp_path, writable=False)["session"]
    assert "has ended" in closed(streams, tmp_path, CaptureStatus({}, {}, {}, None, alive=False))["streams"]


def test_a_force_sensor_that_is_off_zero_closes_the_gate_and_a_rig_without_one_has_none(tmp_path: Path) -> None:
    streams = {"top": info("top"), "force": info("force", "force")}

    def says(value: float, valid: bool = True) -> CaptureStatus:
        reading = Reading("force", 1, 0.0, 0.0, value, valid)
        return CaptureStatus(dict.fromkeys(streams, HEALTH), {"force": reading}, {}, None)

    assert closed(streams, tmp_path, says(0.05)) == {}
    assert "+1.3 N" in closed(streams, tmp_path, says(1.3))["force"]
    assert "does not measure" in closed(streams, tmp_path, says(0.0, valid=False))["force"]
    status = CaptureStatus({"top": HEALTH}, {}, {}, None)
    names = [g.name for g in gates({"top": info("top")}, status, tmp_path, writable=True, scene=())]
    assert "force" not in names


def test_a_world_that_draws_slowly_is_not_a_camera_that_is_gone(tmp_path: Path) -> None:
    slow = CaptureStatus({"top": replace(HEALTH, age_s=1.6)}, {}, {}, None)
    assert "streams" in closed({"top": info("top")}, tmp_path, slow)
    drawn = replace(info("top"), link=SIMULATED)
    assert closed({"top": drawn}, tmp_path, slow) == {}
    still = CaptureStatus({"top": replace(HEALTH, age_s=4.0)}, {}, {}, None)
    assert "streams" in closed({"top": drawn}, tmp_path, still)


def test_a_camera_without_or_with_an_old_calibration_closes_the_gate(tmp_path: Path) -> None:
    assert "not calibrated" in closed({"top": replace(info("top"), camera=None)}, tmp_path)["calibration"]
    old = replace(info("top"), details={"calibrated": "2026-01-01"})
    assert "151 days" in closed({"top": old}, tmp_path)["calibration"]
    fresh = replace(info("top"), details={"calibrated": "2026-05-20T10:00"})
    assert closed({"top": fresh}, tmp_path) == {}


def test_a_plan_samples_what_was_recorded_least() -> None:
    plan = RecordingPlan((Choice("a"), Choice("a", "cup"), Choice("b")), goal=6)
    kept: list[EpisodeNote] = []
    for seed in range(6):
        choice = plan.next(kept, seed)
        kept.append(EpisodeNote("", seed, choice.task, object=choice.object))
    assert sorted((n.task, n.object) for n in kept) == [("a", "")] * 2 + [("a", "cup")] * 2 + [("b", "")] * 2
    with pytest.raises(ValueError, match="choices"):
        RecordingPlan(())


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"choice": 3}', '{"choice": {"nonsense": 1}, "goal": 2, "session": ""}']
)
def test_a_broken_memory_is_as_good_as_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "recording.json").write_text(text)
    assert read_remembered(tmp_path / "recording.json").goal == 50
