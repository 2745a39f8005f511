"""Bringing in a dream in the published layout, and every way in which its files can be wrong."""

import contextlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image as Pictures

from hardware.tools import BUILT_IN_TOOLS, load_tool
from models.data.errors import DreamFileError
from models.data.imports import read_dreamitate
from models.data.tool_folder import save_tool, tool_version
from models.types import Dream
from tests.models.data.published import (
    BOX,
    SIZE,
    Published,
    calibration_values,
    picture,
    write_published,
    write_video,
)


def _read(p: Published, **options: float) -> Dream:
    return read_dreamitate(p.video, p.scenes, p.calibration, p.tools, **options)  # type: ignore[arg-type]


def test_an_imported_dream_has_both_views_in_step(dream: Dream) -> None:
    assert (dream.name, dream.fps, len(dream)) == ("dream7", 6.0, 13)
    assert [view.name for view in dream.views] == ["top", "side"]
    for t in range(13):
        for view, seed in zip(dream.views, (0.0, 5.0), strict=True):
            away = np.abs(view.frames[t].astype(int) - picture(seed + 0.1 * t))
            assert np.median(away) <= 3, (view.name, t)


def test_without_a_known_place_the_placement_is_said_to_be_assumed(dream: Dream) -> None:
    assert dream.placement == "assumed"


def test_a_known_place_is_taken_over(published: Published) -> None:
    T = np.eye(4)
    T[2, 3] = 0.7
    published.calibration.write_text(json.dumps(calibration_values() | {"T_world_view1": T.tolist()}))
    dream = _read(published)
    assert dream.placement == "calibrated"
    assert np.array_equal(dream.T_world_view1, T)


def test_calibration_may_be_toml(published: Published) -> None:
    toml = "".join(
        f'[[views]]\nname = "{v["name"]}"\nK = {v["K"]}\nsize = {v["size"]}\nT_view1_view = {v["T_view1_view"]}\n'
        for v in calibration_values()["views"]  # type: ignore[attr-defined]
    )
    path = published.calibration.with_suffix(".toml")
    path.write_text(toml)
    read = read_dreamitate(published.video, published.scenes, path, published.tools)
    assert np.array_equal(read.views[1].T_view1_view, _read(published).views[1].T_view1_view)


def test_calibration_of_the_published_dreams_is_understood(published: Published) -> None:
    top, side = calibration_values()["views"]  # type: ignore[misc]
    values = {"image_size": top["size"], "K_top": top["K"], "K_side": side["K"], "T_top_side": side["T_view1_view"]}
    published.calibration.write_text(json.dumps(values))
    assert [view.name for view in _read(published).views] == ["top", "side"]


def test_a_toml_beside_the_mesh_says_units_and_mount(published: Published) -> None:
    mesh = published.tools["left"]
    mesh.with_suffix(".toml").write_text(
        'mesh = "left.obj"\nunits = "m"\ntip = [0, 0, 0]\n[mount]\nposition = [0, 0, 0.12]\nrpy_deg = [0, 0, 0]\n'
    )
    assert _read(published).tools["left"].T_flange_tool[2, 3] == pytest.approx(0.12)
    assert _read(published).tools["right"].T_flange_tool[2, 3] == pytest.approx(0.08)


def test_a_distorted_view_is_straightened_once(published: Published) -> None:
    values = calibration_values()
    values["views"][0]["distortion"] = [0.3, 0, 0, 0]  # type: ignore[index]
    straight = _read(published)
    published.calibration.write_text(json.dumps(values))
    bent = _read(published)
    assert not bent.views[0].camera.distortion.any()
    assert not np.array_equal(bent.views[0].frames, straight.views[0].frames)
    assert bent.provenance["undistorted"] is True


def test_every_source_file_is_remembered_by_its_sha256(dream: Dream) -> None:
    files = dream.provenance["files"]
    assert isinstance(files, list)
    assert [f["name"] for f in files] == [
        "dream7.mp4",
        "top.png",
        "side.png",
        "calib.json",
        "left.obj",
        "right.obj",
    ]
    assert all(len(f["sha256"]) == 64 for f in files)


def _calibration(change: Callable[[dict], object]) -> Callable[[Published], None]:  # type: ignore[type-arg]
    def spoil(p: Published) -> None:
        values = calibration_values()
        change(values)
        p.calibration.write_text(json.dumps(values))

    return spoil


def _view(key: str, value: object) -> Callable[[Published], None]:
    return _calibration(lambda values: values["views"][1].__setitem__(key, value))


def _scaled_box(scale: float) -> str:
    lines = [line.split() for line in BOX.splitlines()]
    return "\n".join(
        " ".join([k, *(str(float(w) * scale) for w in ws)] if k == "v" else [k, *ws]) for k, *ws in lines
    )


def _write(which: str, text: str) -> Callable[[Published], None]:
    return lambda p: _path(p, which).write_text(text) and None  # type: ignore[func-returns-value]


def _path(p: Published, which: str) -> Path:
    named = {"video": p.video, "scene1": p.scenes[0], "scene2": p.scenes[1], "calibration": p.calibration}
    return named.get(which) or p.tools[which]


def _cut(which: str) -> Callable[[Published], None]:
    def spoil(p: Published) -> None:
        path = _path(p, which)
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])

    return spoil


def _gone(which: str) -> Callable[[Published], None]:
    return lambda p: _path(p, which).unlink()


def _photo(width: int, height: int) -> Callable[[Published], None]:
    return lambda p: Pictures.new("RGB", (width, height)).save(p.scenes[1])


def _swap(p: Published) -> None:
    first, second = (path.read_bytes() for path in p.scenes)
    p.scenes[0].write_bytes(second)
    p.scenes[1].write_bytes(first)


def _clip(count: int, size: tuple[int, int] = SIZE) -> Callable[[Published], None]:
    return lambda p: write_video(p.video, [picture(i, size) for i in range(count)])


MIRROR = np.diag([-1.0, 1, 1, 1]).tolist()
SHEAR = [[1, 0.1, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]
FAR = [[1, 0, 0, 609.0], [0, 1, 0, 0], [0, 0, 1, 252.0], [0, 0, 0, 1]]

MISTAKES: list[tuple[str, Callable[[Published], object], str, str]] = [
    ("one frame short", _clip(24), "dream7.mp4", "frame count: 24; valid: 25"),
    ("one frame over", _clip(26), "dream7.mp4", "frame count: 26; valid: 25"),
    ("another size", _clip(25, (64, 56)), "dream7.mp4", "size: 64x56"),
    ("a video cut short", _cut("video"), "dream7.mp4", "video"),
    ("no video", _gone("video"), "dream7.mp4", "video"),
    ("text as video", _write("video", "#EXTM3U\nfile:///etc/passwd"), "dream7.mp4", "video"),
    ("empty video", _write("video", ""), "dream7.mp4", "video"),
    ("no photo", _gone("scene1"), "top.png", "scene photo"),
    ("half a photo", _cut("scene2"), "side.png", "scene photo"),
    ("text as photo", _write("scene2", "no picture"), "side.png", "scene photo"),
    ("a square photo", _photo(112, 112), "side.png", "scene photo: size"),
    ("a panorama", _photo(400, 112), "side.png", "scene photo: size"),
    ("a thumbnail", _photo(48, 28), "side.png", "scene photo: size"),
    ("photos the wrong way round", _swap, "top.png", "swapped"),
    ("no calibration", _gone("calibration"), "calib.json", "does not exist"),
    ("broken calibration", _write("calibration", "{"), "calib.json", "syntax"),
    ("a list as calibration", _write("calibration", "[1]"), "calib.json", "top level"),
    ("another calibration", _write("calibration", "{}"), "calib.json", "views"),
    ("one view", _calibration(lambda v: v["views"].pop()), "calib.json", "two views"),
    ("K missing", _calibration(lambda v: v["views"][1].pop("K")), "calib.json", "views[1].K: is missing"),
    ("K of another shape", _view("K", [[1, 0], [0, 1]]), "calib.json", "views[1].K"),
    ("K with words", _view("K", [["a"] * 3] * 3), "calib.json", "views[1].K"),
    ("K with a focal length of 0", _view("K", [[0, 0, 4], [0, 9, 4], [0, 0, 1]]), "calib.json", "views[1].K"),
    ("K transposed", _view("K", [[70, 0, 0], [0, 70, 0], [47, 27, 1]]), "calib.json", "views[1].K"),
    ("K of a larger picture", _view("K", [[70, 0, 390], [0, 70, 27], [0, 0, 1]]), "calib.json", "views[1].K"),
    ("size missing", _calibration(lambda v: v["views"][0].pop("size")), "calib.json", "views[0].size: is missing"),
    ("size 0", _view("size", [0, 56]), "calib.json", "views[1].size"),
    ("size of another video", _view("size", [128, 72]), "dream7.mp4", "128x72"),
    ("distortion of 3", _view("distortion", [1, 2, 3]), "calib.json", "views[1].distortion"),
    ("no pose", _calibration(lambda v: v["views"][1].pop("T_view1_view")), "calib.json", "views[1].T_view1_view"),
    ("a mirrored pose", _view("T_view1_view", MIRROR), "calib.json", "rigid"),
    ("a sheared pose", _view("T_view1_view", SHEAR), "calib.json", "rigid"),
    ("a pose in mm", _view("T_view1_view", FAR), "calib.json", "millimetres"),
    ("a pose with nan", _view("T_view1_view", [[None] * 4] * 4), "calib.json", "nan"),
    ("a view named ../x", _view("name", "../x"), "calib.json", "views[1].name"),
    ("two views of one name", _view("name", "top"), "calib.json", "share a name"),
    ("an empty mesh", _write("left", ""), "left.obj", "tools.left"),
    ("a mesh without faces", _write("left", "v 0 0 0\nv 1 0 0\nv 0 1 0\n"), "left.obj", "tools.left"),
    ("a mesh in mm", _write("right", _scaled_box(1000)), "right.obj", "did you mean 'mm'"),
    ("a mesh in km", _write("right", _scaled_box(0.001)), "right.obj", "units"),
    ("a mesh with nan", _write("right", BOX.replace("v 0 0 0.02", "v nan 0 0")), "right.obj", "tools.right"),
    ("no mesh", _gone("right"), "right.obj", "does not exist"),
]


@pytest.mark.parametrize(("spoil", "file", "words"), [m[1:] for m in MISTAKES], ids=[m[0] for m in MISTAKES])
def test_a_mistake_names_its_file_and_field(
    published: Published, spoil: Callable[[Published], object], file: str, words: str
) -> None:
    spoil(published)
    with pytest.raises(DreamFileError) as error:
        _read(published)
    assert file in str(error.value)
    assert words in str(error.value)
    assert error.value.field


def test_an_unknown_role_lists_the_known_ones(published: Published) -> None:
    with pytest.raises(DreamFileError, match=r"'middle' is unknown; valid: one of \['left', 'right'\]"):
        read_dreamitate(
            published.video, published.scenes, published.calibration, {"middle": published.tools["left"]}
        )
    with pytest.raises(DreamFileError, match="no tool is given"):
        read_dreamitate(published.video, published.scenes, published.calibration, {})


@pytest.mark.parametrize("fps", [0.0, -6.0, float("nan"), 1e9])
def test_an_impossible_rate_is_refused(published: Published, fps: float) -> None:
    with pytest.raises(DreamFileError, match="fps"):
        _read(published, fps=fps)


@pytest.mark.parametrize("which", ["video", "scene2", "calibration", "left"])
def test_damaged_bytes_give_a_clear_error_or_a_dream(which: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    base = write_published(tmp_path_factory.mktemp(which))
    path = _path(base, which)
    good = path.read_bytes()

    @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
    @given(at=st.integers(0, len(good) - 1), junk=st.binary(max_size=40), cut=st.booleans())
    def damage(at: int, junk: bytes, cut: bool) -> None:
        path.write_bytes(good[:at] + junk + (b"" if cut else good[at + len(junk) :]))
        with contextlib.suppress(DreamFileError):
            _read(base)

    damage()


def test_the_real_dreams_come_in(real_dreams: Path) -> None:
    tools = {role: real_dreams / f"tool_{role}.obj" for role in ("left", "right")}
    for video in sorted(real_dreams.glob("*.mp4")):
        scenes = (real_dreams / f"{video.stem}_top.png", real_dreams / f"{video.stem}_side.png")
        dream = read_dreamitate(video, scenes, real_dreams / "calib.json", tools)
        assert dream.name == video.stem
        # at t0 nothing has moved yet, so the cropped photo and the generated next picture nearly agree
        first, second = dream.views[1].frames[:2].astype(int)
        assert np.abs(first - second).mean() < 8


def test_a_tool_of_the_library_comes_in_with_its_mount_and_version(published: Published, tmp_path: Path) -> None:
    folder = tmp_path / "library" / "sweeper"
    folder.mkdir(parents=True)
    tool = replace(load_tool(BUILT_IN_TOOLS["brush"]), name="sweeper", mass=0.33)
    save_tool(folder, tool)
    found = _read(replace(published, tools={**published.tools, "left": folder / "tool.toml"})).tools["left"]
    assert (found.name, found.mass, found.version) == ("sweeper", 0.33, tool_version(folder))
    np.testing.assert_array_equal(found.T_flange_tool, tool.T_flange_tool)
    (folder / "mesh.obj").write_text("v 0 0\n")
    with pytest.raises(DreamFileError, match=r"tools\.left.*mesh"):
        _read(replace(published, tools={**published.tools, "left": folder / "tool.toml"}))
