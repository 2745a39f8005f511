"""What a new user does with a model: four futures of the scene before the cameras, one of them opened and kept."""

from pathlib import Path

import pytest
import torch

from models.video.config import small
from models.video.stereo import StereoVideoModel
from tests.dream_tour import take

pytestmark = [pytest.mark.slow, pytest.mark.alone, pytest.mark.timeout(1800)]


def test_a_model_of_the_workspace_dreams_of_what_the_cameras_see(tmp_path: Path) -> None:
    torch.set_num_threads(1)
    workspace = tmp_path / "workspace"
    # weights that know nothing: what is seen here is the way through, not the dream
    config = small(length=4, size=(192, 128), widths=(32, 32, 64, 64))
    StereoVideoModel.create(config, seed=1).save(workspace / "models" / "unlearned")
    pictures = take(tmp_path, workspace, workspace / "models" / "unlearned", candidates=2, steps=2, run=False)
    assert [picture.stem for picture in pictures][-1] == "dream-5-picked"
    (batch,) = (path for path in (workspace / "dreams").iterdir() if (path / "batch.json").is_file())
    assert {path.name for path in batch.glob("seed-*")} == {"seed-0", "seed-1"}
    assert '"kept": [\n  0\n ]' in (batch / "batch.json").read_text()
