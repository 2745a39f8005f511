"""Where MegaPose is on this machine, and what to do where it is not."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

WORKER = Path(__file__).parent.parent.parent / "assets" / "workers" / "megapose_worker.py"
WEIGHTS = ("coarse-rgb-906902141", "refiner-rgb-653307694")
WEIGHT_FILES = ("config.yaml", "checkpoint.pth.tar")

STEPS = (
    "git clone --recurse-submodules https://github.com/megapose6d/megapose6d.git && cd megapose6d",
    "conda env create -f conda/environment_full.yaml && conda activate megapose && pip install -e .",
    "export MEGAPOSE_DATA_DIR=$PWD/local_data && python -m megapose.scripts.download --megapose_models",
    "give what `which python` and `echo $MEGAPOSE_DATA_DIR` say to page Settings",
)
"""How to get it: a machine with an NVIDIA GPU, conda and about 10 GB of disk."""


class NotSetUp(ValueError):
    """MegaPose cannot be used here; the message says what is missing and how to get it."""

    def __init__(self, missing: str) -> None:
        steps = "\n".join(f"{number}. {step}" for number, step in enumerate(STEPS, 1))
        super().__init__(f"MegaPose is not set up: {missing}. How to get it (docs/other-trackers.md):\n{steps}")


@dataclass(frozen=True)
class MegaPoseSetup:
    """The interpreter of its environment, and the folder that holds megapose-models/ (MEGAPOSE_DATA_DIR)."""

    python: Path
    data: Path

    @property
    def missing_weights(self) -> list[Path]:
        """The files of the two networks that are not there."""
        models = self.data / "megapose-models"
        files = [models / weights / name for weights in WEIGHTS for name in WEIGHT_FILES]
        return [file for file in files if not file.is_file()]


def find_setup(settings: Mapping[str, str]) -> MegaPoseSetup:
    """Return where MegaPose is, from the settings megapose_python and megapose_data (its MEGAPOSE_DATA_DIR).

    Raises NotSetUp.
    """
    for key in ("megapose_python", "megapose_data"):
        if not settings.get(key):
            raise NotSetUp(f"the setting {key} is empty")
    setup = MegaPoseSetup(
        Path(settings["megapose_python"]).expanduser(), Path(settings["megapose_data"]).expanduser()
    )
    if not setup.python.is_file():
        raise NotSetUp(f"megapose_python: {setup.python} is not a file; valid: the interpreter of its environment")
    if not setup.data.is_dir():
        raise NotSetUp(f"megapose_data: {setup.data} is not a folder; valid: the one that holds megapose-models")
    if setup.missing_weights:
        raise NotSetUp(f"megapose_data: weights are missing: {setup.missing_weights[0]}")
    return setup
