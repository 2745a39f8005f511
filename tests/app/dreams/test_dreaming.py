"""Dreaming from a scene: what comes out opens as a dream, and what cannot be dreamt from is refused by name."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from app.cli import main
from app.dreams import dream_job
from app.dreams.dream_job import NoMemory, dream_scene
from app.dreams.dreaming import DreamOrder, memory_told
from app.dreams.ordering import Wish, make_order
from app.dreams.scene import Scene, fitted_picture, scene_from_photos
from app.ledger import Ledger
from app.worker import OUT_OF_MEMORY, Cancel, Worker
from app.workspace import open_workspace
from hardware.rig import SIM_RIG, load_rig
from hardware.types import Image
from models.data.dream_folder import load_dream
from models.data.errors import DreamFileError
from models.data.photo import read_photo, write_photo
from models.video.config import small
from models.video.sample_options import SampleOptions
from models.video.stereo import StereoVideoModel
from tests.models.video.tiny import tiny

CONFIG = small(length=3, size=(64, 64), widths=(32, 32, 64, 64))
PHOTO = (84, 72)  # width, height: a little is cropped


@pytest.fixture(autouse=True)
def _threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models") / "tiny"
    StereoVideoModel.create(CONFIG, seed=1).save(folder)
    return folder


def table(shade: int, hand: bool = False) -> Image:
    """A grey-blue table, brighter to the right; a hand that reaches in from below."""
    width, height = PHOTO
    rgb = np.stack([np.tile(np.linspace(20, 90, width), (height, 1)) + shade] * 3, -1)
    rgb[..., 2] += 40
    if hand:
        rgb[height // 2 :, 20:50] = (205, 150, 125)
    return np.asarray(rgb, np.uint8)


@pytest.fixture
def photos(tmp_path: Path) -> list[Path]:
    files = [tmp_path / "top.png", tmp_path / "side.png"]
    for k, file in enumerate(files):
        write_photo(file, table(30 * k))
    return files


@pytest.fixture
def calibration(tmp_path: Path) -> Path:
    """Of the photos' cameras: the simulated rig's, at the photos' size."""
    rows = []
    for config in load_rig("sim").cameras[:2]:
        T = config.camera.T_world_cam
        assert T is not None
        K = [[100.0, 0, 42.0], [0, 100.0, 36.0], [0, 0, 1]]
        rows.append({"name": config.camera.name, "size": list(PHOTO), "K": K, "T_view1_view": T.tolist()})
    first = np.array(rows[0]["T_view1_view"])
    for row in rows:
        row["T_view1_view"] = (np.linalg.inv(first) @ np.array(row["T_view1_view"])).tolist()
    file = tmp_path / "calibration.json"
    file.write_text(json.dumps({"views": rows, "T_world_view1": first.tolist()}))
    return file


@pytest.fixture
def order(model: Path, photos: list[Path], calibration: Path, tmp_path: Path) -> DreamOrder:
    scene = scene_from_photos(photos, CONFIG, calibration=calibration)
    return DreamOrder(model, scene, tmp_path / "out", "cups", SampleOptions(steps=2, seed=7), device="cpu")


def quiet(_share: float, _text: str) -> None:
    return None


def test_what_is_dreamt_opens_as_a_dream_with_its_story(order: DreamOrder, photos: list[Path]) -> None:
    told: list[tuple[float, str]] = []
    (made,) = dream_scene(order, lambda *p: told.append(p), lambda: False)
    assert (made.folder, made.seed) == (order.out, 7)
    assert set(made.seconds) == {"load", "encode", "denoise", "decode", "write"}
    assert told[-1][1] == "step 2 of 2"
    assert [share for share, _ in told] == sorted(share for share, _ in told)
    dream = load_dream(order.out)
    assert (dream.name, dream.placement, len(dream), dream.fps) == ("cups-7", "calibrated", 3, CONFIG.fps)
    assert [view.name for view in dream.views] == ["top", "side"]
    # each view begins with its scene, and its camera is the photo's, cropped and made smaller with it
    for view, picture in zip(dream.views, order.scene.pictures, strict=True):
        assert (view.frames[0] == picture).all()
        assert view.camera.K[1, 1] == pytest.approx(100 * 64 / 72)
    assert (read_photo(order.out / "scene" / "side.png") == read_photo(photos[1])).all()
    story = dream.provenance
    assert (story["source"], story["seed"], story["steps"], story["precision"]) == ("dreamt", 7, 2, "float32")
    assert len(str(story["weights_sha256"])) == 64
    assert story["scene"]["files"][0]["name"] == "top.png"  # type: ignore[index]


def test_a_candidate_can_be_dreamt_again_alone(order: DreamOrder, tmp_path: Path) -> None:
    both = dream_scene(replace(order, options=replace(order.options, candidates=2)), quiet, lambda: False)
    assert [one.folder.name for one in both] == ["seed-7", "seed-8"]
    again = replace(order, out=tmp_path / "again", options=replace(order.options, seed=8))
    dream_scene(again, quiet, lambda: False)
    first, second = load_dream(both[1].folder), load_dream(tmp_path / "again")
    assert all((a.frames == b.frames).all() for a, b in zip(first.views, second.views, strict=True))


def test_a_preview_grows_while_it_is_dreamt(order: DreamOrder, tmp_path: Path) -> None:
    file = tmp_path / "preview.png"
    sizes = []

    def look(_share: float, text: str) -> None:
        if text == "step 2 of 2":
            sizes.append(read_photo(file).shape)  # that of the step before

    dream_scene(replace(order, preview=file), look, lambda: False)
    assert sizes == [(2 * 8, 3 * 8, 3)]


def test_a_cancel_keeps_what_is_written(order: DreamOrder) -> None:
    order = replace(order, options=replace(order.options, candidates=3))
    with pytest.raises(Cancel):
        dream_scene(order, quiet, lambda: bool(order.finished))
    assert [folder.name for folder in order.finished] == ["seed-7"]
    assert [folder.name for folder in order.out.iterdir()] == ["seed-7"]


def test_out_of_memory_has_a_way_out(order: DreamOrder, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> object:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20 GiB")

    monkeypatch.setattr(dream_job, "dream", full)
    with pytest.raises(NoMemory, match="decode fewer frames together"):
        dream_scene(order, quiet, lambda: False)
    assert "decode fewer frames" in memory_told(f"the worker process ended; {OUT_OF_MEMORY}, or try again")


def test_a_hand_in_the_scene_is_refused_unless_somebody_says_why(photos: list[Path], calibration: Path) -> None:
    write_photo(photos[1], table(30, hand=True))
    with pytest.raises(DreamFileError, match="hand in the scene: side") as caught:
        scene_from_photos(photos, CONFIG, calibration=calibration)
    assert "--override" in caught.value.valid
    scene = scene_from_photos(photos, CONFIG, calibration=calibration, override="a wooden box")
    assert scene.origin["override"] == "a wooden box"


def test_photos_without_a_calibration_have_assumed_cameras(photos: list[Path]) -> None:
    for file in photos:
        write_photo(file, np.full((448, 768, 3), 60, np.uint8))
    config = small(length=3, size=(192, 128))
    assert scene_from_photos(photos, config).placement == "assumed"
    assert scene_from_photos(photos, config, rig=load_rig("sim")).placement == "calibrated"


def test_a_goal_is_drawn_as_a_picture_for_photos_of_a_scene(
    model: Path, photos: list[Path], calibration: Path, tmp_path: Path
) -> None:
    drawn = np.zeros((PHOTO[1], PHOTO[0], 3), np.uint8)
    drawn[30:40, 40:60] = 255
    write_photo(tmp_path / "goal.png", drawn)
    wish = Wish(model, tmp_path / "out", photos=tuple(photos), calibration=calibration)
    bare, shown = (
        make_order(replace(wish, goal=goal), tmp_path, print).scene for goal in (None, tmp_path / "goal.png")
    )
    greener = shown.pictures[..., 1].astype(int) - bare.pictures[..., 1]
    assert [bool(view.max() > 50) for view in greener] == [True, True]
    told = shown.origin["goal"]
    assert isinstance(told, dict)
    assert (told["how"], len(told["masks_sha256"]), "goal" in bare.origin) == ("drawn", 2, False)


def test_a_model_that_is_told_in_words_wants_words(photos: list[Path], calibration: Path, tmp_path: Path) -> None:
    StereoVideoModel.create(tiny("text", size=(28, 24))).save(tmp_path / "told")
    wish = Wish(tmp_path / "told", tmp_path / "out", photos=tuple(photos), calibration=calibration)
    with pytest.raises(DreamFileError, match="--text"):
        make_order(wish, tmp_path, lambda _words: None)
    order = make_order(replace(wish, text="push it", options=SampleOptions(steps=1)), tmp_path, lambda _words: None)
    dream_scene(order, quiet, lambda: False)
    assert load_dream(tmp_path / "out").provenance["text"] == "push it"


def refused(photos: list[Path], calibration: Path | None = None) -> Scene:
    return scene_from_photos(photos, CONFIG, calibration=calibration)


def test_a_scene_that_does_not_fit_the_model_is_refused(photos: list[Path], calibration: Path) -> None:
    with pytest.raises(DreamFileError, match="1 pictures"):
        refused(photos[:1])
    with pytest.raises(DreamFileError, match="top: size: 768x448"):  # the simulated rig's cameras saw no such photo
        refused(photos)
    values = json.loads(calibration.read_text())
    calibration.write_text(json.dumps({**values, "views": values["views"][:1]}))
    with pytest.raises(DreamFileError, match="has 1 views"):
        refused(photos, calibration)
    write_photo(photos[0], np.zeros((40, 40, 3), np.uint8))
    with pytest.raises(DreamFileError, match=r"top.png: scene photo: pictures of 40x40"):
        refused(photos)


# the verb


def call(capsys: pytest.CaptureFixture[str], tmp_path: Path, *words: object) -> tuple[int, str, dict[str, object]]:
    status = main(["dream", *map(str, words), "--workspace", str(tmp_path / "workspace"), "--json"])
    said = capsys.readouterr()
    return status, said.err, json.loads(said.out) if said.out else {}


def test_the_verb_dreams_candidates_and_tells_the_ledger(
    model: Path, photos: list[Path], calibration: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, said, told = call(
        capsys, tmp_path, "--model", model, "--scene", *photos, "--calibration", calibration, "--task", "rotation",
        "--candidates", 2, "--seed", 3, "--steps", 1, "--out", tmp_path / "dreams",
    )  # fmt: skip
    assert status == 0, said
    first, second = told["dreams"]  # type: ignore[misc]
    assert (first["seed"], second["seed"], told["placement"]) == (3, 4, "calibrated")
    assert load_dream(Path(second["folder"])).tools.keys() == {"left", "right"}
    ledger = Ledger(open_workspace(tmp_path / "workspace").ledger)
    try:
        assert {entry.id for entry in ledger.entries("dream")} == {first["id"], second["id"]}
    finally:
        ledger.close()


def test_the_verb_says_what_is_missing_or_wrong(
    model: Path, photos: list[Path], calibration: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = ("--out", tmp_path / "dreams")
    known = ("--model", model, "--scene", *photos, "--calibration", calibration)
    status, said = call(capsys, tmp_path, "--scene", *photos)[:2]
    assert status == 2
    assert said.startswith("main.py: dream: --model and --out missing\nusage: main.py dream")
    wrong: list[tuple[tuple[object, ...], str]] = [
        (("--model", tmp_path / "none", "--scene", *photos), "dreamdeck.toml"),
        (("--model", model, "--rig", "sim"), "--task"),
        (("--model", model, "--rig", "sim", "--task", "folding"), "folding"),
        (("--model", model, "--scene", *photos, "--steps", 0), "steps: 0"),
        (("--model", model, "--scene", *photos, "--guidance", 1, 2, 3), "--guidance"),
        (("--model", model, "--scene", *photos, "--tools", "pusher"), "ROLE=NAME"),
        ((*known, "--goal-pose", 0.1, -0.2, 30), "nothing stands out"),
        ((*known, "--goal", photos[0], "--task", "rotation"), "task rotation has none"),
    ]
    for words, named in wrong:
        status, said, _ = call(capsys, tmp_path, *words, *out)
        assert (status, named in said) == (3, True), said
    (tmp_path / "dreams").mkdir()
    (tmp_path / "dreams" / "mine.txt").write_text("kept")
    status, said, _ = call(capsys, tmp_path, "--model", model, "--scene", *photos, *out)
    assert (status, "not empty" in said) == (3, True)


def test_ctrl_c_ends_the_verb_and_leaves_nothing(
    model: Path,
    photos: list[Path],
    calibration: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wait, waited = Worker.wait, []

    def interrupted(worker: Worker, timeout: float) -> None:
        waited.append(timeout)
        if len(waited) == 1:
            raise KeyboardInterrupt
        wait(worker, timeout)

    monkeypatch.setattr(Worker, "wait", interrupted)
    status, said, _ = call(
        capsys,
        tmp_path,
        "--model",
        model,
        "--scene",
        *photos,
        "--calibration",
        calibration,
        "--out",
        tmp_path / "d",
    )
    assert (status, "dreaming was stopped; written: nothing" in said) == (5, True)
    assert not (tmp_path / "d").exists()


@pytest.mark.alone
def test_the_verb_dreams_from_the_simulated_table_cropped_as_the_demos_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = replace(small(length=2, size=(192, 128), widths=(32, 32, 64, 64)), zoom=1.4)
    model = tmp_path / "zoomed"
    StereoVideoModel.create(config, seed=1).save(model)
    status, said, told = call(
        capsys, tmp_path, "--model", model, "--rig", "sim", "--task", "push-shape", "--table", 3, "--steps", 1,
        "--out", tmp_path / "pushed",
    )  # fmt: skip
    assert status == 0, said
    dream = load_dream(tmp_path / "pushed")
    assert (dream.placement, dream.tools["tool"].name, told["tools"]) == (
        "calibrated",
        "pusher",
        {"tool": "pusher"},
    )
    assert dream.T_world_view1 == pytest.approx(np.asarray(load_rig(SIM_RIG).cameras[0].camera.T_world_cam))
    # the camera is the rig's own, of 480x320 pixels in its middle
    camera, whole = dream.views[0].camera, load_rig(SIM_RIG).cameras[0].camera
    assert camera.size == (192, 128)
    assert camera.K[0, 0] == pytest.approx(whole.K[0, 0] * 192 / 480)
    # the goal is painted into what the model sees, green, and not into the photo
    photo = read_photo(tmp_path / "pushed" / "scene" / "top.png")
    painted = (dream.views[0].frames[0].astype(int) - fitted_picture(photo, config))[..., 1] > 30
    assert 0.002 < painted.mean() < 0.2
