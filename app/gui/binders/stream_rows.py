"""What the health strips say: pure functions from what the devices report to words with a colour."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from app.recording.checks import ZERO_FORCE_N
from app.recording.gates import FREE_SILENT_S, SILENT_S
from hardware.recording.capture import CaptureStatus
from hardware.stream import Pose, Reading, StreamHealth, StreamInfo
from hardware.usb_budget import StreamLoad, link_class, usb_budget
from widgets.record_values import Fact, StreamRow, StreamShape
from widgets.values import Mood

GOOD_RATE, POOR_RATE = 0.9, 0.5  # of the rate that was asked for
LATE_PERIODS, SHORTEST_LATE_S = 6.0, 0.25
SKEW_PERIODS = 0.75  # cameras without a common trigger are up to half a period apart
CONFIDENCES: Mapping[int, tuple[str, Mood]] = {
    0: ("pose lost", "alarm"),
    1: ("pose unsure", "alarm"),
    2: ("pose fair", "warning"),
    3: ("pose sure", "ok"),
}
_BUDGETS: Mapping[str, Mood] = {"fits": "ok", "tight": "warning", "too much": "alarm", "unknown": "idle"}
_ORDER: dict[Mood, int] = {"alarm": 0, "warning": 1, "idle": 2, "ok": 3}


def stream_rows(infos: Mapping[str, StreamInfo], status: CaptureStatus, *, zero: bool = False) -> list[StreamRow]:
    """Return a row for each stream in the rig's order, then one for each device that did not open. zero: whether a
    force sensor can be zeroed now."""
    skews = group_skew(infos, status.health)
    rows = [
        _row(
            info,
            status.health.get(name),
            _Newest(status.values.get(name), skews.get(name), status.exposures.get(name), zero),
        )
        for name, info in infos.items()
    ]
    missing = [
        StreamRow(name, mood="alarm", problem=why) for name, why in status.missing.items() if name not in infos
    ]
    return rows + missing


@dataclass(frozen=True)
class _Newest:
    """Of one stream: a sensor's newest sample; skew, exposure [s] of a camera, None where nobody knows; untouched:
    between two takes, when nobody pulls at anything."""

    value: Reading | Pose | None
    skew: float | None
    exposure: float | None
    untouched: bool = False


def _row(info: StreamInfo, health: StreamHealth | None, newest: _Newest) -> StreamRow:
    shape: StreamShape = "picture" if info.kind == "camera" else "number"
    shown = _value(info, newest.value)
    if health is None:
        return StreamRow(info.name, shape, "warning", (Fact("no word yet"),))
    facts = tuple(_facts(info, health, newest))
    problem = health.problem or ("" if health.connected else f"{info.name}: not connected; plug it in again")
    mood: Mood = "alarm" if problem else worst([fact.mood for fact in facts])
    button = "Zero" if newest.untouched and info.kind == "force" else ""
    return StreamRow(info.name, shape, mood, facts, problem, shown, button)


def _facts(info: StreamInfo, health: StreamHealth, newest: _Newest) -> list[Fact]:
    value, skew, exposure = newest.value, newest.skew, newest.exposure
    unit = "fps" if info.kind == "camera" else "Hz"
    asked = "as fast as it is drawn, at most" if info.free_running else "asked for"
    facts = [
        Fact(f"{health.fps:.1f} {unit}", rate_mood(info, health), f"reached; {asked} {info.rate_hz:g} {unit}"),
        _age(info, health),
        Fact(
            f"{health.device_drops} drops", _drops_mood(health), "gaps in the device's own counter since it is open"
        ),
    ]
    if skew is not None:
        late = abs(skew) > SKEW_PERIODS / (health.fps if info.free_running and health.fps else info.rate_hz)
        facts.append(
            Fact(f"skew {1000 * skew:+.0f} ms", "warning" if late else "idle", "to the rig's first camera")
        )
    if isinstance(value, Reading) and not value.valid:
        what = "no marker seen" if info.kind == "opening" else "no valid value"
        facts.append(Fact(what, "warning"))
    if isinstance(value, Reading) and value.valid and info.kind == "force":
        zeroed = abs(value.value) < ZERO_FORCE_N
        off: Mood = "warning" if newest.untouched else "idle"
        words = "at zero" if zeroed else "not at zero"
        facts.append(Fact(words, "ok" if zeroed else off, "when nothing is touched"))
    if isinstance(value, Pose):
        facts.append(Fact(*CONFIDENCES.get(value.confidence, CONFIDENCES[0])))
    if exposure is not None:
        facts.append(Fact(f"exp {1000 * exposure:.1f} ms", tip="exposure of the newest picture"))
    if info.link:
        facts.append(Fact(info.link, "warning" if info.link.startswith("USB 2") else "idle", "how it is connected"))
    return facts


def rate_mood(info: StreamInfo, health: StreamHealth) -> Mood:
    """What to think of a stream's rate; a simulated one is never held to a rate that nobody promised."""
    share = health.fps / info.rate_hz
    if info.free_running:
        return "ok" if health.fps > 0 else "warning"
    return "ok" if share >= GOOD_RATE else "warning" if share >= POOR_RATE else "alarm"


def _drops_mood(health: StreamHealth) -> Mood:
    return "warning" if health.device_drops else "ok"


def _age(info: StreamInfo, health: StreamHealth) -> Fact:
    tip = "of the newest sample"
    silent = FREE_SILENT_S if info.free_running else SILENT_S
    if health.age_s >= silent:
        return Fact(f"silent for {min(health.age_s, 9999):.0f} s", "alarm", tip)
    late = health.age_s > (SILENT_S if info.free_running else max(LATE_PERIODS / info.rate_hz, SHORTEST_LATE_S))
    return Fact(f"age {1000 * health.age_s:.0f} ms", "warning" if late else "idle", tip)


def _value(info: StreamInfo, value: Reading | Pose | None) -> str:
    """The newest sample of a sensor, as it is read from two metres away."""
    if isinstance(value, Pose):
        x, y, z = 100 * np.asarray(value.T_ref_sensor)[:3, 3]
        return f"{x:.0f}, {y:.0f}, {z:.0f} cm"
    if not isinstance(value, Reading) or not value.valid:
        return "–"
    return f"{1000 * value.value:.1f} mm" if info.kind == "opening" else f"{value.value:.2f} N"


def group_skew(infos: Mapping[str, StreamInfo], health: Mapping[str, StreamHealth]) -> dict[str, float]:
    """How far [s] each camera's exposures lie from the first camera's, for cameras of one rate: of the ages that
    were taken at one instant, what whole periods leave over."""
    cameras = [name for name, info in infos.items() if info.kind == "camera" and name in health]
    if not cameras:
        return {}
    first, skews = cameras[0], {}
    for name in cameras[1:]:
        if infos[name].rate_hz == infos[first].rate_hz and health[name].fps > 0:
            period = 1.0 / max(health[first].fps, 1e-3)
            apart = health[first].age_s - health[name].age_s
            skews[name] = (apart + period / 2) % period - period / 2
    return skews


def usb_line(infos: Mapping[str, StreamInfo]) -> Fact:
    """Whether the rig's streams fit through their links, in a line; "" where none hangs on a known one."""
    loads = [_load(info) for info in infos.values() if link_class(info.link)]
    budgets = usb_budget(loads)
    if not budgets:
        return Fact("")
    return Fact(" · ".join(budget.text for budget in budgets), worst([_BUDGETS[b.verdict] for b in budgets]))


def _load(info: StreamInfo) -> StreamLoad:
    size = info.camera.size if info.camera is not None else None
    sent = "raw8" if info.details.get("sent as", "").startswith(("Bayer", "Mono")) else info.pixel_format
    return StreamLoad(info.name, link_class(info.link), info.link, info.rate_hz, size, sent)


def worst(moods: list[Mood]) -> Mood:
    """The most serious of these."""
    return min(moods, key=lambda mood: _ORDER[mood], default="idle")
