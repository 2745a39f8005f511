"""LeRobotDataset v3.0: what is written is what the format asks for, and what comes back is what was recorded."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.datasets.exchange import ExportOptions, export_demos, import_demos
from models.data import lerobot_files
from models.data.annotations import Piece
from models.data.clips_pictures import scene_photo
from models.data.demo import Demo
from models.data.errors import DreamFileError
from models.data.exchange import nearest, steps_of
from models.data.exchange_pictures import psnr_db
from models.data.exchange_video import VideoFile, parameter_sets
from models.data.lerobot import read_lerobot
from models.data.lerobot_layout import ACTION, CHUNK_FILES, IMAGES, OWN, STATE, TIMES, Place
from models.data.lerobot_stats import NAMES, Total, vector_stats
from tests.models.data.recorded import demos, record
from tests.models.data.spoilt import spoil

LEROBOT = ExportOptions()


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return record(tmp_path_factory.mktemp("recorded") / "session")


@pytest.fixture(scope="module")
def exported(session: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("exported") / "dataset"
    report = export_demos(demos(session), out, "lerobot", LEROBOT)
    assert (report["copied"], report["coded"]) == (4, {})
    return out


def test_the_files_are_where_and_what_the_format_says(exported: Path) -> None:
    info = json.loads((exported / "meta/info.json").read_text())
    assert info["codebase_version"] == "v3.0"
    assert (info["fps"], info["chunks_size"]) == (30, 1000)
    assert (info["data_files_size_in_mb"], info["video_files_size_in_mb"]) == (100, 200)
    assert (info["total_episodes"], info["total_frames"], info["total_tasks"]) == (2, 72, 2)
    assert info["splits"] == {"train": "0:2"}
    names = {f.relative_to(exported).as_posix() for f in exported.rglob("*") if f.is_file()}
    assert names == {
        "meta/info.json",
        "meta/stats.json",
        "meta/tasks.parquet",
        "meta/episodes/chunk-000/file-000.parquet",
        "data/chunk-000/file-000.parquet",
        "videos/observation.images.top/chunk-000/file-000.mp4",
        "videos/observation.images.side/chunk-000/file-000.mp4",
        "dreamdeck/episodes.jsonl",
        "dreamdeck/samples/file-000-000.parquet",
        *(f"dreamdeck/scenes/00000{k}/{camera}.png" for k in (0, 1) for camera in ("top", "side")),
    }
    top = info["features"][IMAGES + "top"]
    assert (top["dtype"], top["shape"], top["names"]) == ("video", [64, 96, 3], ["height", "width", "channels"])
    assert "nearest" in info["features"][STATE]["info"]["resampling"]


def test_the_rows_are_the_features_and_count_up(exported: Path) -> None:
    info = json.loads((exported / "meta/info.json").read_text())
    table = pq.read_table(exported / "data/chunk-000/file-000.parquet")
    numbers = {n: f for n, f in info["features"].items() if f["dtype"] != "video"}
    assert set(table.column_names) == set(numbers)
    for name, feature in numbers.items():
        kind = table.schema.field(name).type
        width = feature["shape"][0]
        assert str(kind if width == 1 else kind.value_type) == {"float32": "float", "float64": "double"}.get(
            feature["dtype"], feature["dtype"]
        )
        assert width == 1 or kind.list_size == width == len(feature["names"])
    assert table.column("index").to_pylist() == list(range(72))
    assert table.column("frame_index").to_pylist() == [*range(36), *range(36)]
    np.testing.assert_allclose(table.column("timestamp").to_numpy()[:36], np.arange(36) / 30, atol=1e-6)
    assert pq.ParquetFile(exported / "data/chunk-000/file-000.parquet").num_row_groups == 2


def test_the_episodes_say_where_everything_is(exported: Path) -> None:
    rows = pq.read_table(exported / "meta/episodes/chunk-000/file-000.parquet").to_pylist()
    assert [(r["dataset_from_index"], r["dataset_to_index"], r["length"]) for r in rows] == [
        (0, 36, 36),
        (36, 72, 36),
    ]
    assert [r["tasks"] for r in rows] == [["push the block 0"], ["push the block 1"]]
    assert rows[1][f"videos/{IMAGES}top/from_timestamp"] == pytest.approx(36 / 30)
    assert rows[1][f"videos/{IMAGES}top/to_timestamp"] == pytest.approx(72 / 30)
    for row in rows:
        assert {f"stats/{STATE}/{name}" for name in NAMES} <= set(row)
        assert np.shape(row[f"stats/{IMAGES}top/mean"]) == (3, 1, 1)
    stats = json.loads((exported / "meta/stats.json").read_text())
    assert set(stats[ACTION]) == set(NAMES)
    assert stats["index"]["max"] == [71.0]
    assert 0 < stats[IMAGES + "top"]["mean"][0][0][0] < 1


def test_the_tasks_are_the_index_of_the_frame_that_pandas_makes(exported: Path) -> None:
    table = pq.read_table(exported / "meta/tasks.parquet")
    told = json.loads(table.schema.metadata[b"pandas"])
    assert told["index_columns"] == ["task"]
    assert table.to_pydict() == {"task_index": [0, 1], "task": ["push the block 0", "push the block 1"]}


def test_every_row_has_a_picture_at_its_very_time(exported: Path) -> None:
    for camera in ("top", "side"):
        with av.open(str(exported / f"videos/observation.images.{camera}/chunk-000/file-000.mp4")) as video:
            stream = video.streams.video[0]
            times = [float(p.pts * p.time_base) for p in video.demux(stream) if p.pts is not None]
            assert stream.average_rate == 30
            assert stream.codec_context.max_b_frames == 0
        np.testing.assert_allclose(times, np.arange(72) / 30, atol=1e-6)


def test_pictures_are_bit_by_bit_the_recordings(session: Path, exported: Path) -> None:
    file = VideoFile(exported / "videos/observation.images.top/chunk-000/file-000.mp4")
    recorded = [picture.data for demo in demos(session) for picture in demo.coded("top")]
    assert [data for data, _ in file.coded(0, 72)] == recorded
    file.close()


def test_true_times_stand_beside_the_rows(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    late = {name: rng.uniform(-0.008, 0.008, 36) for name in ("top", "side")}
    session = record(tmp_path / "s", 1, jitter=lambda name, k: float(late[name][k]) if k else 0.0)
    report = export_demos(demos(session), tmp_path / "out", "lerobot", LEROBOT)
    assert (report["copied"], report["coded"]) == (2, {})
    info = json.loads((tmp_path / "out/meta/info.json").read_text())
    table = pq.read_table(tmp_path / "out/data/chunk-000/file-000.parquet")
    times = np.stack(table.column(TIMES).to_pylist())
    names = info["features"][TIMES]["names"]
    (demo,) = demos(session)
    for camera in ("top", "side"):
        assert np.abs(times[:, names.index(camera)] - demo.times(camera)).max() < 1e-9
    force, rows = demo.times("force"), times[:, names.index("force")]
    nearest_by_hand = [force[np.abs(force - k / 30 - demo.times("top")[0]).argmin()] for k in range(36)]
    np.testing.assert_array_equal(rows, nearest_by_hand)


def _same(a: Demo, b: Demo) -> None:
    assert a.labels == b.labels
    assert len(steps_of(a)) == 2
    assert steps_of(a) == steps_of(b)
    np.testing.assert_array_equal(scene_photo(a, "side"), scene_photo(b, "side"))
    assert {n: (s.kind, s.columns, s.unit) for n, s in a.streams.items()} == {
        n: (s.kind, s.columns, s.unit) for n, s in b.streams.items()
    }
    for name, stream in a.streams.items():
        np.testing.assert_allclose(a.times(name), b.times(name), atol=1e-6)
        if stream.kind == "camera":
            assert [p.data for p in a.coded(name)] == [p.data for p in b.coded(name)]
            every = range(len(a.times(name)))
            np.testing.assert_array_equal(a.pictures(name, every), b.pictures(name, every))
            first, second = a.camera(name), b.camera(name)
            assert (first is None) == (second is None)
            if first is not None and second is not None:
                np.testing.assert_array_equal(first.K, second.K)
        else:
            np.testing.assert_allclose(a.values(name), b.values(name), atol=1e-9)


def test_an_export_reads_as_what_was_recorded_and_so_does_its_import(
    session: Path, exported: Path, tmp_path: Path
) -> None:
    read = read_lerobot(exported)
    for demo, again in zip(demos(session), read, strict=True):
        assert demo.id == again.id
        _same(demo, again)
    done = import_demos(read, tmp_path / "session")
    assert done.episodes == (1, 2)
    for demo, again in zip(demos(session), demos(tmp_path / "session"), strict=True):
        assert demo.id == again.id
        _same(demo, again)
    assert import_demos(read, tmp_path / "session").there_already == tuple(demo.id for demo in read)
    export_demos(demos(tmp_path / "session"), tmp_path / "again", "lerobot", LEROBOT)
    for demo, again in zip(demos(session), read_lerobot(tmp_path / "again"), strict=True):
        _same(demo, again)


def test_a_demo_that_begins_between_key_pictures_is_coded_anew_and_looks_the_same(
    session: Path, tmp_path: Path
) -> None:
    (first, second) = demos(session)
    trimmed = replace(first, piece=Piece(start=0.21, end=1.0))
    report = export_demos([trimmed, second], tmp_path / "out", "lerobot", LEROBOT)
    assert report["copied"] == 2
    assert report["coded"] == {"it begins between two key pictures": 2}
    assert report["least_db"] >= 38  # type: ignore[operator]
    again, whole = read_lerobot(tmp_path / "out")
    every = range(len(trimmed.times("top")))
    for a, b in zip(trimmed.pictures("top", every), again.pictures("top", every), strict=True):
        assert psnr_db(a, b) >= 38
    np.testing.assert_array_equal(whole.pictures("top", [30, 3]), second.pictures("top", [30, 3]))
    np.testing.assert_allclose(again.times("top"), trimmed.times("top"), atol=1e-9)


def test_a_rate_that_is_no_whole_number_stays(tmp_path: Path) -> None:
    report = export_demos(demos(record(tmp_path / "s", 1, 2.0, hz=7.5)), tmp_path / "out", "lerobot", LEROBOT)
    assert (report["fps"], report["rows"], report["copied"]) == (7.5, 15, 2)
    (demo,) = read_lerobot(tmp_path / "out")
    np.testing.assert_allclose(demo.times("top"), np.arange(15) / 7.5, atol=1e-6)


def test_demos_of_two_rates_are_exported_at_the_faster_one_and_no_picture_is_lost(tmp_path: Path) -> None:
    both = [*demos(record(tmp_path / "slow", 1, 2.0, hz=6.0)), *demos(record(tmp_path / "fast", 1, 2.0, hz=10.0))]
    report = export_demos(both, tmp_path / "out", "lerobot", LEROBOT)
    assert report["fps"] == 10
    for before, after in zip(both, read_lerobot(tmp_path / "out"), strict=True):
        np.testing.assert_allclose(after.times("top"), before.times("top"), atol=1e-9)


def test_pictures_from_before_another_camera_began_are_kept(tmp_path: Path) -> None:
    missing = {"top": range(5), "side": range(15, 25)}
    session = record(tmp_path / "s", 1, jitter=lambda name, k: np.nan if k in missing.get(name, ()) else 0.0)
    (before,) = demos(session)
    export_demos([before], tmp_path / "out", "lerobot", LEROBOT)
    (after,) = read_lerobot(tmp_path / "out")
    for camera in ("top", "side"):
        np.testing.assert_allclose(after.times(camera), before.times(camera), atol=1e-9)


def test_a_missing_picture_is_bridged_by_its_neighbour_and_the_times_say_so(tmp_path: Path) -> None:
    session = record(tmp_path / "s", 1, jitter=lambda name, k: np.nan if name == "top" and k in (10, 11) else 0.0)
    report = export_demos(demos(session), tmp_path / "out", "lerobot", LEROBOT)
    assert report["coded"] == {"its pictures do not come one a row": 1}
    (demo,) = read_lerobot(tmp_path / "out")
    np.testing.assert_allclose(demo.times("top"), demos(session)[0].times("top"), atol=1e-9)
    assert len(demo.times("side")) == 36


def test_data_sets_of_others_read_without_what_we_put_beside(exported: Path, tmp_path: Path) -> None:
    foreign = tmp_path / "foreign"
    shutil.copytree(exported, foreign, ignore=shutil.ignore_patterns(OWN))
    first, second = read_lerobot(foreign)
    assert {s.kind for s in first.streams.values()} == {"camera", "arm", "action"}
    assert second.labels.instruction == "push the block 1"
    assert first.values("action").shape == (36, len(first.streams["action"].columns))
    np.testing.assert_allclose(first.times("state"), np.arange(36) / 30, atol=1e-6)
    np.testing.assert_array_equal(
        second.pictures("top", [0, 35]), read_lerobot(exported)[1].pictures("top", [0, 35])
    )
    import_demos([first, second], tmp_path / "session")
    for a, b in zip((first, second), demos(tmp_path / "session"), strict=True):
        assert a.labels == b.labels
        np.testing.assert_allclose(a.values("state"), b.values("state"), atol=1e-9, equal_nan=True)
        np.testing.assert_array_equal(a.pictures("side", [7]), b.pictures("side", [7]))


def test_files_grow_no_larger_than_the_format_allows(
    session: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert Place(0, CHUNK_FILES - 1).after() == Place(1, 0)
    assert Place(0, 3).after() == Place(0, 4)
    monkeypatch.setattr(lerobot_files.VideoFiles.__init__, "__defaults__", (1000,))
    monkeypatch.setattr(lerobot_files.TableFiles.__init__, "__defaults__", (1000,))
    export_demos(demos(session), tmp_path / "out", "lerobot", LEROBOT)
    assert len(list((tmp_path / "out/data/chunk-000").iterdir())) == 2
    assert len(list((tmp_path / "out/videos/observation.images.top/chunk-000").iterdir())) == 2
    for demo, again in zip(demos(session), read_lerobot(tmp_path / "out"), strict=True):
        _same(demo, again)


@pytest.mark.parametrize(
    ("file", "key", "value", "words"),
    [
        ("info.json", "codebase_version", "v2.1", "codebase_version"),
        ("info.json", "fps", 0, "fps"),
        ("info.json", "fps", "30", "fps"),
        ("info.json", "data_path", "../../{chunk_index:03d}", "data_path"),
        ("info.json", "data_path", "{chunk_index.__class__}", "data_path"),
        ("info.json", "video_path", "/etc/{video_key}", "video_path"),
        ("info.json", "features", {}, "features"),
        ("info.json", "features", [], "features"),
    ],
)
def test_a_wrong_field_is_named_and_nothing_outside_is_opened(
    exported: Path, tmp_path: Path, file: str, key: str, value: object, words: str
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(exported, copy, ignore=shutil.ignore_patterns(OWN))
    info = json.loads((copy / "meta" / file).read_text())
    (copy / "meta" / file).write_text(json.dumps({**info, key: value}))
    with pytest.raises(DreamFileError, match=words):
        _read_all(copy)


def _read_all(folder: Path) -> None:
    for demo in read_lerobot(folder):
        for name, stream in demo.streams.items():
            demo.times(name)
            if stream.kind == "camera":
                scene_photo(demo, name)
                demo.pictures(name, [0, len(demo.times(name)) - 1])
                list(demo.coded(name))
            else:
                demo.values(name)


@pytest.mark.parametrize("rounds", [2, pytest.param(15, marks=pytest.mark.slow)])
def test_spoilt_files_are_refused_by_name(tmp_path: Path, rounds: int) -> None:
    small = tmp_path / "small"
    export_demos(demos(record(tmp_path / "session", 1, 0.2)), small, "lerobot", LEROBOT)
    for own in (True, False):
        copy = tmp_path / f"copy-{own}"
        shutil.copytree(small, copy, ignore=None if own else shutil.ignore_patterns(OWN))
        for path in sorted(f for f in copy.rglob("*") if f.is_file()):
            spoil(path, lambda copy=copy: _read_all(copy), rounds, 5)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.floats(0, 100), min_size=1, max_size=30, unique=True), st.lists(st.floats(-5, 105), max_size=20))
def test_the_nearest_sample_is_the_nearest(times: list[float], wanted: list[float]) -> None:
    ascending = np.sort(times)
    for t, k in zip(wanted, nearest(ascending, np.array(wanted, float)), strict=True):
        assert np.abs(ascending - t).min() == abs(ascending[k] - t)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=8), min_size=1, max_size=5))
def test_joined_statistics_are_those_of_all_rows(parts: list[list[float]]) -> None:
    total = Total()
    for part in parts:
        total.add({"x": vector_stats(np.array(part)[:, None])})
    every = np.concatenate([np.array(p) for p in parts])
    found = total.result()["x"]
    assert found["count"] == [len(every)]
    assert found["min"] == [every.min()]
    np.testing.assert_allclose(found["mean"], [every.mean()], atol=1e-6)  # type: ignore[arg-type]
    np.testing.assert_allclose(found["std"], [every.std()], atol=1e-4)  # type: ignore[arg-type]


def test_what_a_sensor_did_not_see_does_not_spoil_the_statistics() -> None:
    found = vector_stats(np.array([[1.0, np.nan], [np.nan, np.nan], [3.0, np.nan]]))
    assert (found["mean"], found["max"], found["count"]) == ([2.0, 0.0], [3.0, 0.0], [3])


def test_parameter_sets_are_found_in_a_coded_picture(session: Path) -> None:
    pictures = list(demos(session)[0].coded("top"))
    assert parameter_sets(pictures[0].data)
    assert parameter_sets(pictures[1].data) == b""
