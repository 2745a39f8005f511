"""`main.py train`: refuses a wrong config at once, trains in a process of its own, goes on where it stood."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from app.cli import main
from app.ledger import Ledger
from app.settings import ledger_file
from app.verbs.options import closing
from app.verbs.output import DONE, REFUSED
from app.workspace import open_workspace
from models.training.config import TrainConfig, config_text
from tests.models.data.sessions import new_session
from tests.models.training.tiny import tiny

ROOT = Path(__file__).parents[2]


def written(folder: Path, config: TrainConfig) -> Path:
    path = folder / "tiny.toml"
    path.write_text(config_text(config))
    return path


def verb(folder: Path, config: Path, *more: str) -> int:
    options = [
        "--data",
        str(folder / "session"),
        "--out",
        str(folder / "run"),
        "--workspace",
        str(folder / "workspace"),
    ]
    return main(["train", str(config), *options, "--json", *more])


def test_a_wrong_field_is_refused_before_anything_is_loaded(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert verb(tmp_path, written(tmp_path, tiny()), "--set", "train.batch=0") == REFUSED
    error = json.loads(capsys.readouterr().out)["error"]
    assert (error["field"], error["valid"]) == ("train.batch", "1 and more")


def short(folder: Path, demos: int = 2) -> Path:
    """A config of one step of the U-Net."""
    new_session(folder / "session", demos, 24)
    base = tiny(steps=1, accumulation=1, ema=0.0)
    return written(folder, replace(base, vae=replace(base.vae, steps=0)))


def test_it_trains_in_a_process_of_its_own_and_the_ledger_knows_what_came_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert verb(tmp_path, short(tmp_path)) == DONE
    checkpoint = json.loads(capsys.readouterr().out)["checkpoint"]
    assert checkpoint.endswith("step_000001")
    with closing(Ledger(ledger_file(open_workspace(tmp_path / "workspace")))) as ledger:
        (entry,) = ledger.entries("checkpoint")
        assert entry.record["folder"] == checkpoint
        assert [one.kind for one in ledger.chain(entry.id)] == ["checkpoint", "dataset"]


@pytest.mark.slow
def test_two_processes_train_one_model(tmp_path: Path) -> None:
    config, run = short(tmp_path, demos=3), tmp_path / "run"
    started = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", "main.py", "train", str(config)]
    options = ["--data", str(tmp_path / "session"), "--out", str(run), "--workspace", str(tmp_path / "workspace")]
    subprocess.run([sys.executable, *started, *options], cwd=ROOT, check=True)
    assert json.loads((run / "provenance.json").read_text())["processes"] == 2
    assert len((run / "metrics.jsonl").read_text().splitlines()) == 1
    assert [checkpoint.name for checkpoint in (run / "checkpoints").iterdir()] == ["step_000001"]


@pytest.mark.slow
def test_a_run_is_not_written_over_but_goes_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = short(tmp_path)
    assert verb(tmp_path, config) == DONE
    assert verb(tmp_path, config) == REFUSED
    assert "there is a run already" in json.loads(capsys.readouterr().out.splitlines()[-1])["error"]["message"]
    assert verb(tmp_path, config, "--resume", "--set", "train.steps=2") == DONE
    assert json.loads(capsys.readouterr().out)["step"] == 2
    assert len((tmp_path / "run" / "metrics.jsonl").read_text().splitlines()) == 2
