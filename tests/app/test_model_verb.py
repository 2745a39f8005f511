"""`model import|export` as scripts call it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from app.cli import main
from app.verbs.model import LAYOUTS
from models.video import import_sgm
from models.video.stereo import StereoVideoModel
from tests.models.video.tiny import tiny

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("verb") / "model"
    StereoVideoModel.create(tiny()).save(place)
    return place


def test_a_model_goes_out_and_comes_in_again(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, back = tmp_path / "out.safetensors", tmp_path / "back"
    common = ["--json", "--workspace", str(tmp_path / "home")]
    assert main([*common, "model", "export", str(folder), "--layout", "sgm", "--out", str(file)]) == 0
    assert json.loads(capsys.readouterr().out)["weights"] > 100
    words = ["model", "import", str(file), "--layout", "sgm-dreamitate", "--out", str(back)]
    assert main([*common, *words]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["views"], told["frames"], told["conditioning"], told["from_base"]) == (2, 3, "image", [])
    assert main([*common, *words]) == 3  # it is there already
    assert "is there already" in json.loads(capsys.readouterr().out)["error"]["message"]


def test_a_model_goes_out_in_half_the_bytes_and_is_nearly_the_same(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    small = tmp_path / "small"
    words = ["model", "export", str(folder), "--layout", "half", "--out", str(small)]
    assert main(["--json", "--workspace", str(tmp_path / "home"), *words]) == 0
    sizes = [sum(file.stat().st_size for file in place.rglob("*.safetensors")) for place in (folder, small)]
    assert json.loads(capsys.readouterr().out)["bytes"] >= sizes[1]
    assert sizes[1] < 0.55 * sizes[0]
    whole, half = (StereoVideoModel.load(place) for place in (folder, small))
    assert half.config == whole.config
    for a, b in zip(whole.parameters(), half.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-3, atol=1e-5)


def test_a_checkpoint_that_does_not_fit_is_refused_with_its_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save_file({"a": torch.zeros(2)}, str(tmp_path / "a.safetensors"))
    words = ["model", "import", str(tmp_path / "a.safetensors"), "--layout", "sgm-videopolicy"]
    assert main([*words, "--out", str(tmp_path / "out"), "--workspace", str(tmp_path / "home")]) == 3
    assert "a.safetensors" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_the_command_line_knows_every_layout_without_loading_tensors() -> None:
    assert tuple(import_sgm.LAYOUTS) == LAYOUTS
    asked = "import sys, app.cli; sys.exit(any(m in sys.modules for m in ('torch', 'diffusers', 'transformers')))"
    assert subprocess.run([sys.executable, "-c", asked], cwd=ROOT, check=False).returncode == 0
