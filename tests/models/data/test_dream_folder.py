"""A dream put into its folder comes back the same, and a spoilt folder is refused with a reason."""

import contextlib
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hardware.geometry import exp_se3
from hardware.types import Mesh, Tool
from models.data.dream_folder import load_dream, load_track, save_dream, save_track
from models.data.errors import DreamFileError
from models.types import Dream
from tests.models.data.published import make_track


def _same_tool(a: Tool, b: Tool) -> None:
    for name in ("T_flange_tool", "tip", "trackable", "symmetry"):
        assert np.array_equal(getattr(a, name), getattr(b, name)), name
    for name in ("vertices", "faces", "uv", "texture", "face_rgb"):
        left, right = getattr(a.mesh, name), getattr(b.mesh, name)
        assert (left is None) == (right is None), name
        assert left is None or (np.array_equal(left, right) and left.dtype == right.dtype), name
    assert (a.name, a.mass) == (b.name, b.mass)


def _same(a: Dream, b: Dream) -> None:
    assert (a.name, a.fps, a.placement, dict(a.provenance)) == (b.name, b.fps, b.placement, dict(b.provenance))
    assert np.array_equal(a.T_world_view1, b.T_world_view1)
    for left, right in zip(a.views, b.views, strict=True):
        assert left.name == right.name
        assert np.array_equal(left.frames, right.frames)
        assert np.array_equal(left.camera.K, right.camera.K)
        assert np.array_equal(left.T_view1_view, right.T_view1_view)
    assert list(a.tools) == list(b.tools)
    for role in a.tools:
        _same_tool(a.tools[role], b.tools[role])


def test_a_dream_comes_back_bit_by_bit(dream: Dream, tmp_path: Path) -> None:
    save_dream(dream, tmp_path / "folder")
    _same(dream, load_dream(tmp_path / "folder"))


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data(), look=st.sampled_from(["plain", "textured", "coloured"]))
def test_any_tool_comes_back_bit_by_bit(
    dream: Dream, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, look: str
) -> None:
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    count = data.draw(st.integers(1, 30))
    faces = rng.integers(0, 12, (count, 3)).astype(np.int32)
    mesh = Mesh(
        rng.normal(0, 10 ** rng.uniform(-6, 3), (12, 3)),
        faces,
        uv=rng.normal(0, 1, (count, 3, 2)).astype(np.float32) if look == "textured" else None,
        texture=rng.integers(0, 256, (5, 7, 3), np.uint8) if look == "textured" else None,
        face_rgb=rng.integers(0, 256, (count, 3), np.uint8) if look == "coloured" else None,
    )
    name = data.draw(st.text(max_size=20).filter(lambda s: s.isprintable() and s))
    trackable = rng.random(count) < 0.5 if data.draw(st.booleans()) else None
    tool = Tool(name, mesh, exp_se3(rng.normal(0, 1, 6)), rng.normal(0, 1, 3), trackable, mass=rng.uniform(0, 2))
    folder = tmp_path_factory.mktemp("tool") / "folder"
    changed = replace(dream, tools={"left": tool})
    save_dream(changed, folder)
    _same(changed, load_dream(folder))


def test_original_photos_are_kept_as_they_are(dream: Dream, tmp_path: Path) -> None:
    photo = tmp_path / "published" / "top.png"
    save_dream(dream, tmp_path / "folder", scenes={"top": photo})
    assert (tmp_path / "folder" / "scene" / "top.png").read_bytes() == photo.read_bytes()


def test_saving_over_something_is_refused_and_leaves_it_alone(dream: Dream, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "mine.txt").write_text("mine")
    with pytest.raises(DreamFileError, match="not empty"):
        save_dream(dream, tmp_path / "folder")
    assert [p.name for p in (tmp_path / "folder").iterdir()] == ["mine.txt"]


@pytest.mark.parametrize("spoil", ["name", "full disk"])
def test_a_failed_save_leaves_nothing(
    dream: Dream, tmp_path: Path, spoil: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = sorted(tmp_path.iterdir())
    if spoil == "name":
        dream = replace(dream, tools={"../left": dream.tools["left"]})
    else:

        def full(*_: object) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("models.data.dream_folder.save_calibration", full)
    with pytest.raises(DreamFileError):
        save_dream(dream, tmp_path / "folder")
    assert sorted(tmp_path.iterdir()) == before


def test_a_track_comes_back_bit_by_bit(dream: Dream, tmp_path: Path) -> None:
    save_dream(dream, tmp_path / "folder")
    assert load_track(tmp_path / "folder") is None
    track = make_track(dream)
    save_track(tmp_path / "folder", dream, track)
    back = load_track(tmp_path / "folder")
    assert back is not None
    assert (back.dream, back.tracker, back.hints, back.seconds) == (track.dream, "stereo", track.hints, 1.25)
    for role, tool in track.tools.items():
        for name in ("T_view1_tool", "confidence", "stereo_disagreement_px"):
            assert np.array_equal(getattr(back.tools[role], name), getattr(tool, name), equal_nan=True), name
        assert back.tools[role].source == tool.source


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('"top"', '"../../top"', "name"),
        ("format = 1", "format = 2", "format"),
        ("fps = 6.0", "fps = -1", "fps"),
        ('placement = "assumed"', 'placement = "guessed"', "placement"),
        ('tools = ["left", "right"]', 'tools = ["../left"]', "tools"),
        ('name = "dream7"', 'name = "a/b"', "name"),
    ],
)
def test_a_spoilt_folder_names_the_field(dream: Dream, tmp_path: Path, old: str, new: str, words: str) -> None:
    save_dream(dream, tmp_path / "folder")
    for name in ("dream.toml", "calibration.json"):
        file = tmp_path / "folder" / name
        file.write_text(file.read_text().replace(old, new))
    with pytest.raises(DreamFileError, match=words):
        load_dream(tmp_path / "folder")


@pytest.mark.parametrize(
    "name", ["dream.toml", "calibration.json", "views/top.mp4", "tools/left/tool.toml", "tools/left/mesh.obj"]
)
def test_a_missing_file_is_named(dream: Dream, tmp_path: Path, name: str) -> None:
    save_dream(dream, tmp_path / "folder")
    (tmp_path / "folder" / name).unlink()
    with pytest.raises(DreamFileError, match=Path(name).name):
        load_dream(tmp_path / "folder")


@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_hostile_bytes_in_a_folder_give_clear_errors_only(
    dream: Dream, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("hostile") / "folder"
    save_dream(dream, folder)
    save_track(folder, dream, make_track(dream))
    files = sorted(p for p in folder.rglob("*") if p.is_file())
    file = data.draw(st.sampled_from(files))
    good = file.read_bytes()
    at = data.draw(st.integers(0, len(good)))
    junk = data.draw(
        st.binary(max_size=30) | st.sampled_from([b"nan", b"-1", b"1e999", b"[]", b'"', b"null", b"9" * 30])
    )
    file.write_bytes(good[:at] + junk + (b"" if data.draw(st.booleans()) else good[at + len(junk) :]))
    with contextlib.suppress(DreamFileError):
        load_dream(folder)
        load_track(folder)
    shutil.rmtree(folder)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"poses": []}, "poses: is empty"),
        ({"frames": 10_000}, "frames"),
        ({"poses": [{"tool": "left", "t": 9999, "T_top_tool": None}]}, "t: 9999"),
        ({"poses": [{"tool": "left", "t": 0.5, "T_top_tool": None}]}, "t: 0.5"),
        ({"poses": [{"tool": "left", "t": 0, "T_top_tool": [[1]]}]}, "T_top_tool"),
        ({"poses": [{"tool": "left", "t": 0, "T_top_tool": None}] * 2}, "twice"),
        ({"poses": [{"tool": "left", "t": 0, "T_top_tool": None, "confidence": 3}]}, "confidence"),
        ({"dream": 7}, "dream"),
    ],
)
def test_a_spoilt_track_names_the_field(
    dream: Dream, tmp_path: Path, change: dict[str, object], words: str
) -> None:
    save_dream(dream, tmp_path / "folder")
    save_track(tmp_path / "folder", dream, make_track(dream))
    file = tmp_path / "folder" / "track.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | change))
    with pytest.raises(DreamFileError, match=words):
        load_track(tmp_path / "folder")
