"""Page Inspect reads the ledger: every run with its outcome and everything it came from."""

from pathlib import Path

import pytest

from app.gui.binders.runs import chain_links, dream_folder_of, has_run, local_time, run_rows
from app.ledger import Ledger


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    ledger = Ledger(tmp_path / "ledger.sqlite")
    (tmp_path / "example").mkdir()
    ledger.add("dream", "example", {"folder": str(tmp_path / "example")}, id="d")
    ledger.add("track", "example", {"tracker": "stereo"}, parents=["d"], id="t")
    ledger.add("plan", "example", {"sha256": "f" * 64, "duration_s": 26.7342}, parents=["t"], id="p")
    ledger.add("approval", "example", {"person": "anna"}, parents=["p"], id="a")
    ledger.add("execution", "example", {"ended": "done", "folder": ""}, parents=["p", "a"], id="e")
    return ledger


def test_a_run_that_nobody_judged_says_so(ledger: Ledger) -> None:
    (row,) = run_rows(ledger)
    assert (row.outcome, row.mood, row.person, row.plan, row.ended) == (
        "not judged",
        "idle",
        "anna",
        "f" * 64,
        "done",
    )
    ledger.close()


def test_the_last_judgement_counts(ledger: Ledger) -> None:
    ledger.add("outcome", "example", {"success": True, "tags": [], "note": ""}, parents=["e"])
    ledger.add("outcome", "example", {"success": False, "tags": ["slipped"], "note": "on the edge"}, parents=["e"])
    (row,) = run_rows(ledger)
    assert (row.outcome, row.tags, row.note) == ("failure", "slipped", "on the edge")
    ledger.close()


def test_the_chain_leads_from_the_outcome_to_the_dream(ledger: Ledger) -> None:
    ledger.add("outcome", "example", {"success": True}, parents=["e"])
    links = chain_links(ledger, "e")
    assert [link.kind for link in links] == ["outcome", "execution", "approval", "plan", "track", "dream"]
    assert dict(links[3].facts) == {"sha256": "ffff…fff", "duration s": "26.73"}
    ledger.close()


def test_the_dream_of_a_run_is_found_while_its_folder_is_there(ledger: Ledger, tmp_path: Path) -> None:
    assert dream_folder_of(ledger, "e") == tmp_path / "example"
    (tmp_path / "example").rmdir()
    assert dream_folder_of(ledger, "e") is None
    ledger.close()


def test_only_a_run_that_ended_by_itself_allows_the_usual_speed(ledger: Ledger) -> None:
    assert has_run(ledger, "t")
    ledger.add("track", "example", {}, parents=["d"], id="t2")
    assert not has_run(ledger, "t2")
    assert not has_run(ledger, "")
    ledger.close()


def test_times_that_cannot_be_read_are_shown_as_they_are() -> None:
    assert local_time("once upon a time") == "once upon a time"
    assert local_time("2026-11-21T06:00:00Z").startswith("2026-11-")
