"""What the ledger is told of what jobs made. What was made is there, whether the ledger can be written or not."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from app.ledger import Ledger, LedgerError
from app.provenance import record_dream
from app.settings import ledger_file
from app.workspace import Workspace
from models.data.dream_folder import load_dream
from models.data.fields import Fields
from models.data.text_files import read_table
from models.training.run_folder import PROVENANCE
from models.video.identity import weights_sha256


def tell_of_training(workspace: Workspace, run: Path, checkpoint: Path, say: Callable[[str], None]) -> None:
    """Tell of a checkpoint of a run and of the data set it was trained on; say: hears why that could not be."""
    try:
        with closing(Ledger(ledger_file(workspace))) as ledger:
            record_training(ledger, run, checkpoint)
    except (LedgerError, OSError, ValueError) as error:
        say(f"the ledger does not know of {checkpoint}: {error}")


def tell_of_dream(workspace: Workspace, folder: Path) -> None:
    try:
        with closing(Ledger(ledger_file(workspace))) as ledger:
            record_dream(ledger, load_dream(folder), folder)
    except (LedgerError, OSError, ValueError) as error:
        print(f"the ledger does not know of {folder}: {error}", flush=True)


def record_training(ledger: Ledger, run: Path, checkpoint: Path) -> str:
    """Add the data set of a run, and a checkpoint under the sha256 of its weights: dreams that name them come from
    it.

    Return the checkpoint's id. Raises DreamFileError where the run does not say what it was trained on.
    """
    told = Fields(read_table(run / PROVENANCE), run / PROVENANCE)
    data = told.table("data", "what it was trained on")
    folder, digest = data.get("folder", str, "a folder"), data.get("digest", str, "a sha256")
    about: dict[str, object] = {
        "folder": folder,
        "digest": digest,
        "demos": len(data.get("demos", dict, "demos by id")),
    }
    dataset = ledger.add("dataset", Path(folder).name, about, id=f"dataset-{digest[:32]}")
    record = {"folder": str(checkpoint), "run": str(run), "start": told.get("start", str, "a model", "")}
    id = f"checkpoint-{weights_sha256(checkpoint)[:32]}"
    return ledger.add("checkpoint", f"{run.name}/{checkpoint.name}", record, parents=[dataset], id=id)
