"""`record` and `dataset`, as a script calls them."""

import json
import shutil
from pathlib import Path

import pytest

from app.cli import main
from app.verbs import record
from hardware.recording.capture import Capture
from hardware.recording.mcap_log import MCAP, open_episode
from hardware.recording.note import EpisodeNote, read_note
from hardware.recording.session import Session
from hardware.rig import SIM_RIG
from tests.hardware.recording.sources import camera_source, pose_source
from tests.hardware.recording.test_mcap_log import write


def call(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, dict[str, object]]:
    status = main([*map(str, arguments), "--json"])
    return status, json.loads(capsys.readouterr().out)


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    """Two kept episodes and one that was cut."""
    session = Session(tmp_path / "dataset")
    session.lock()
    for number in (1, 2, 3):
        folder, note = session.begin(EpisodeNote("", 0, "push-shape"))
        write(folder)
        if number < 3:
            note, _ = session.recover(folder)
            session.keep(folder, note)
        else:
            (folder / MCAP).write_bytes((folder / MCAP).read_bytes()[:-400])
    session.close()
    return tmp_path / "dataset"


def test_a_dataset_tells_verifies_and_recovers(
    dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = ("--workspace", tmp_path / "workspace")
    status, told = call(capsys, "dataset", "info", dataset, *root)
    (session,) = told["sessions"]  # type: ignore[misc]
    assert status == 0
    assert (session["kept"], session["unfinished"], session["tasks"]) == (2, 1, {"push-shape": 2})
    assert call(capsys, "dataset", "verify", dataset, "--pictures", *root)[0] == 0
    status, told = call(capsys, "dataset", "recover", dataset, "--keep", *root)
    assert status == 0
    assert len(told["recovered"]) == 1  # type: ignore[arg-type]
    with open_episode(dataset / "episodes" / "000003") as reader:
        assert len(reader.times("top").index) > 10
    assert call(capsys, "dataset", "verify", dataset, *root)[0] == 0


@pytest.mark.parametrize("damage", ["changed", "cut", "swapped", "note"])
def test_a_damaged_episode_is_named(
    dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], damage: str
) -> None:
    folder = dataset / "episodes" / "000002"
    raw = bytearray((folder / MCAP).read_bytes())
    if damage == "changed":
        raw[len(raw) // 2] ^= 1
    if damage == "cut":
        raw = raw[:-40]
    (folder / MCAP).write_bytes(raw)
    if damage == "swapped":
        shutil.rmtree(tmp_path / "other", ignore_errors=True)
        shutil.copy(write(tmp_path / "other", 19) / MCAP, folder / MCAP)
    if damage == "note":
        (folder / "episode.json").write_text("{}")
    status, told = call(capsys, "dataset", "verify", dataset, "--workspace", tmp_path / "workspace")
    assert status == 3
    assert list(told["damaged"]) == [str(folder)]  # type: ignore[call-overload]
    assert str(folder) in next(iter(told["damaged"].values()))  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--task", "dance"), "--task"),
        (("--task", "rotation", "--size", "193x128"), "--size"),
        (("--task", "rotation", "--episodes", "0"), "--episodes"),
    ],
)
def test_what_cannot_be_recorded_is_refused_before_anything_is_made(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], words: str
) -> None:
    base = ("record", "--rig", "sim", "--dataset", tmp_path / "d", "--episodes", "1")
    status, told = call(capsys, *base, *arguments, "--workspace", tmp_path / "workspace")
    assert status == 3
    assert words in told["error"]["message"]  # type: ignore[index]
    assert not (tmp_path / "d").exists()


def test_a_dataset_that_somebody_records_into_is_refused(
    dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    session = Session(dataset)
    session.lock()
    status, told = call(capsys, "dataset", "recover", dataset, "--workspace", tmp_path / "workspace")
    session.close()
    assert status == 3
    assert "another Dreamdeck" in told["error"]["message"]  # type: ignore[index]


def test_simulated_episodes_are_recorded_on_a_virtual_clock(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dataset, root = tmp_path / "d", ("--workspace", tmp_path / "workspace")
    base = ("record", "--rig", "sim", "--task", "rotation", "--episodes", "1", "--seed", "7", "--size", "64x48")
    status, told = call(capsys, *base, "--dataset", dataset, *root)
    assert (status, told["clock"], told["episodes"]) == (0, "virtual", [1])
    note = read_note(dataset / "episodes" / "000001" / "episode.json")
    assert (note.clock, note.seed, note.state, note.task) == ("virtual", 7, "kept", "rotation")
    with open_episode(dataset / "episodes" / "000001") as reader:
        assert reader.clock.virtual
        assert reader.calibration(reader.cameras[0]) is not None
        assert all(len(list(reader.frames(name))) == note.samples[name] for name in reader.cameras)
    assert all((dataset / "episodes" / "000001" / name).is_file() for name in note.scene)


def test_a_real_rigs_takes_are_recorded_by_the_clock_and_a_closed_gate_needs_a_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = tmp_path / "rig.toml"
    rig.write_text(SIM_RIG.read_text().replace("simulated = true", "simulated = false"))
    monkeypatch.setattr(record, "CaptureProcess", lambda makers: Capture([camera_source, pose_source]))
    base = (
        "record",
        "--rig",
        rig,
        "--task",
        "wipe",
        "--episodes",
        "2",
        "--seconds",
        "0.6",
        "--dataset",
        tmp_path / "d",
    )
    root = ("--workspace", tmp_path / "workspace")
    status, told = call(capsys, *base, *root)
    assert status == 3
    assert "scene: top" in told["error"]["message"]  # type: ignore[index]
    status, told = call(
        capsys, *base, *root, "--override", "scene=the test picture moves", "--instruction", "wipe it"
    )
    assert (status, told["episodes"], told["clock"]) == (0, [1, 2], "host")
    note = read_note(tmp_path / "d" / "episodes" / "000002" / "episode.json")
    assert (note.task, note.instruction, note.overrides[0].reason) == ("wipe", "wipe it", "the test picture moves")
