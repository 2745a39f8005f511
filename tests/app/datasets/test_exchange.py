"""Exports and imports as jobs: whole or not at all, whatever happens meanwhile."""

import resource
import signal
import subprocess
import sys
from collections import namedtuple
from pathlib import Path

import numpy as np
import pytest

from app.datasets import exchange_part
from app.datasets.exchange import export_demos, import_demos
from app.datasets.exchange_orders import ExportOptions
from app.datasets.exchange_part import ExchangeRefused, Part, part_of
from models.data.exchange import ExchangeStopped
from models.data.exchange_sources import format_of, open_demos
from models.data.lerobot import read_lerobot
from tests.app.recording.test_verbs import call
from tests.models.data.recorded import demos, record
from tests.models.data.test_hdf5_demos import write as write_hdf5
from tests.models.data.test_video_folder import h264

FORMATS = ("lerobot", "umi", "mcap")


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return record(tmp_path_factory.mktemp("recorded") / "session", 3, 0.4)


@pytest.mark.parametrize("form", FORMATS)
def test_a_cancelled_export_leaves_nothing_behind(session: Path, tmp_path: Path, form: str) -> None:
    asked = iter(range(100))
    with pytest.raises(ExchangeStopped):
        export_demos(demos(session), tmp_path / "out", form, ExportOptions(), cancelled=lambda: next(asked) > 2)
    assert list(tmp_path.iterdir()) == []


def test_a_cancelled_import_leaves_nothing_behind(session: Path, tmp_path: Path) -> None:
    asked = iter(range(100))
    with pytest.raises(ExchangeStopped):
        import_demos(demos(session), tmp_path / "new", cancelled=lambda: next(asked) > 2)
    assert list(tmp_path.iterdir()) == []
    record(tmp_path / "old", 1, 0.4)
    before = {f: f.read_bytes() for f in (tmp_path / "old").rglob("*") if f.is_file() and f.name != ".lock"}
    asked = iter(range(100))
    with pytest.raises(ExchangeStopped):
        import_demos(demos(session), tmp_path / "old", cancelled=lambda: next(asked) > 2)
    assert {f: f.read_bytes() for f in (tmp_path / "old").rglob("*") if f.is_file() and f.name != ".lock"} == before


def test_one_damaged_episode_refuses_the_whole_import(session: Path, tmp_path: Path) -> None:
    export_demos(demos(session), tmp_path / "dataset", "lerobot", ExportOptions())
    (video,) = (tmp_path / "dataset/videos/observation.images.top/chunk-000").iterdir()
    video.write_bytes(video.read_bytes()[:-3000])
    with pytest.raises(ValueError, match=r"file-000\.mp4"):
        import_demos(read_lerobot(tmp_path / "dataset"), tmp_path / "new")
    assert not (tmp_path / "new").exists()


VICTIM = """
import os, signal, sys
from pathlib import Path
from app.datasets.exchange import export_demos, import_demos
from app.datasets.exchange_orders import ExportOptions
from tests.models.data.recorded import demos

def progress(share, text):
    if text.startswith(sys.argv[3]):
        os.kill(os.getpid(), signal.SIGKILL)

found = demos(Path(sys.argv[1]))
if sys.argv[4] == "export":
    export_demos(found, Path(sys.argv[2]), "lerobot", ExportOptions(), progress)
else:
    import_demos(found, Path(sys.argv[2]), progress)
"""


@pytest.mark.parametrize(("what", "when"), [("export", "writing episode 2"), ("import", "episode 3")])
def test_what_a_kill_left_is_gone_on_with(session: Path, tmp_path: Path, what: str, when: str) -> None:
    out = tmp_path / "out"
    command = [sys.executable, "-c", VICTIM, str(session), str(out), when, what]
    done = subprocess.run(command, cwd=Path(__file__).parents[3], capture_output=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    seen: list[str] = []
    if what == "export":
        assert not out.exists()
        report = export_demos(
            demos(session), out, "lerobot", ExportOptions(), lambda share, text: seen.append(text)
        )
        assert report["resumed"]
        assert not part_of(out).exists()
        found = read_lerobot(out)
    else:
        assert import_demos(demos(session), out).episodes == (1, 2, 3)
        found = open_demos(out)
    assert [demo.id for demo in found] == [demo.id for demo in demos(session)]
    assert [p.data for p in found[2].coded("top")] == [p.data for p in demos(session)[2].coded("top")]


def test_a_full_disk_is_told_and_the_export_goes_on_when_there_is_room(session: Path, tmp_path: Path) -> None:
    # a limit on the size of a file is as near as a test can get: writing fails in the midst of it
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (9_000, hard))
    try:
        with pytest.raises(OSError, match=r"large|space"):
            export_demos(demos(session), tmp_path / "out", "lerobot", ExportOptions())
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert not (tmp_path / "out").exists()
    assert export_demos(demos(session), tmp_path / "out", "lerobot", ExportOptions())["resumed"]
    assert len(read_lerobot(tmp_path / "out")) == 3
    assert [f.name for f in tmp_path.iterdir()] == ["out"]


def test_room_is_looked_for_before_anything_is_written(
    session: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(exchange_part.shutil, "disk_usage", lambda place: usage(10**9, 10**9, 1000))
    for form in FORMATS:
        with pytest.raises(ExchangeRefused, match="make room"):
            export_demos(demos(session), tmp_path / "out", form, ExportOptions())
    with pytest.raises(ExchangeRefused, match="make room"):
        import_demos(demos(session), tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_what_is_there_is_never_written_over(session: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "precious").write_text("x")
    with pytest.raises(ExchangeRefused, match="something already"):
        export_demos(demos(session), tmp_path / "out", "mcap", ExportOptions())
    with pytest.raises(ExchangeRefused, match="no session"):
        import_demos(demos(session), tmp_path / "out")
    (tmp_path / "new.part").mkdir()
    with pytest.raises(ExchangeRefused, match="in the way"):
        export_demos(demos(session), tmp_path / "new", "mcap", ExportOptions())
    part = Part(tmp_path / "busy.part", {"what": "other"})
    with pytest.raises(ExchangeRefused, match="another program"):
        export_demos(demos(session), tmp_path / "busy", "mcap", ExportOptions())
    part.leave()
    assert not export_demos(demos(session), tmp_path / "busy", "mcap", ExportOptions())["resumed"]


def test_an_mcap_export_opens_as_an_episode_with_its_labels(session: Path, tmp_path: Path) -> None:
    from mcap.reader import make_reader

    export_demos(demos(session), tmp_path / "out", "mcap", ExportOptions())
    assert sorted(f.name for f in (tmp_path / "out").iterdir()) == ["000001.mcap", "000002.mcap", "000003.mcap"]
    with open(tmp_path / "out" / "000002.mcap", "rb") as file:
        reader = make_reader(file, validate_crcs=True)
        metadata = {record.name: record.metadata for record in reader.iter_metadata()}
        topics = {channel.topic for _, channel, _ in reader.iter_messages()}
    assert metadata["labels"]["instruction"] == "push the block 1"
    assert {"/camera/top/video", "/pose/t265", "/reading/force", "/values/left_arm"} <= topics


def test_every_format_is_known_by_its_files(session: Path, tmp_path: Path) -> None:
    export_demos(demos(session)[:1], tmp_path / "lerobot", "lerobot", ExportOptions())
    export_demos(demos(session)[:1], tmp_path / "umi", "umi", ExportOptions())
    (tmp_path / "videos").mkdir()
    h264(tmp_path / "videos" / "a.mp4", 5)
    assert format_of(session) == format_of(session.parent) == "session"
    assert format_of(tmp_path / "lerobot") == "lerobot"
    assert format_of(tmp_path / "umi" / "dataset.zarr.zip") == "umi"
    assert format_of(tmp_path / "videos") == "videos"
    assert format_of(write_hdf5(tmp_path / "a.hdf5")) == "hdf5"
    (tmp_path / "empty").mkdir()
    for wrong in ("empty", "nothing"):
        with pytest.raises(ValueError, match="robomimic"):
            format_of(tmp_path / wrong)


def test_scripts_export_and_import(session: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = ("--workspace", tmp_path / "workspace")
    status, told = call(
        capsys,
        "dataset",
        "export",
        session,
        "--format",
        "lerobot",
        "--out",
        tmp_path / "l",
        "--episodes",
        "1,3",
        *root,
    )
    assert (status, told["episodes"], told["copied"]) == (0, 2, 4)
    status, told = call(capsys, "dataset", "import", tmp_path / "l", "--out", tmp_path / "s", *root)
    assert (status, told["episodes"]) == (0, [1, 2])
    status, told = call(capsys, "dataset", "verify", tmp_path / "s", "--pictures", *root)
    assert (status, told["damaged"]) == (0, {})
    write_hdf5(tmp_path / "lift.hdf5")
    status, told = call(capsys, "dataset", "import", tmp_path / "lift.hdf5", "--out", tmp_path / "s", *root)
    assert (status, told["episodes"]) == (0, [3, 4])
    assert call(capsys, "dataset", "import", tmp_path / "nothing", "--out", tmp_path / "s", *root)[0] == 3
    for wrong in ("0", "4", "2-1", "x"):
        status, told = call(
            capsys,
            "dataset",
            "export",
            session,
            "--format",
            "mcap",
            "--out",
            tmp_path / "m",
            "--episodes",
            wrong,
            *root,
        )
        assert status == 3
        assert "--episodes" in told["error"]["message"]  # type: ignore[index]
    assert not list(tmp_path.glob("m*"))


def test_one_format_becomes_another_in_one_step(tmp_path: Path) -> None:
    found = open_demos(write_hdf5(tmp_path / "lift.hdf5", 1, size=(33, 24)))
    report = export_demos(found, tmp_path / "out", "lerobot", ExportOptions())
    assert report["coded"] == {"it is not H.264 that can be copied": 1}
    (again,) = read_lerobot(tmp_path / "out")
    np.testing.assert_allclose(again.values("actions"), found[0].values("actions"))
    assert again.labels == found[0].labels
    assert again.streams["agentview_image"].size == (34, 24)
    tiny = open_demos(write_hdf5(tmp_path / "tiny.hdf5", 1, size=(12, 12)))
    with pytest.raises(ValueError, match="16x16"):
        export_demos(tiny, tmp_path / "tiny", "lerobot", ExportOptions())
    assert not list(tmp_path.glob("tiny*/"))
