"""What a new user does first: the built-in example, from opening it to the ledger, in the real window."""

from pathlib import Path

from tests.tour import take


def test_the_example_becomes_motion_and_is_in_the_ledger(tmp_path: Path) -> None:
    folder, workspace = tmp_path / "pictures", tmp_path / "workspace"
    folder.mkdir()
    workspace.mkdir()
    pictures = take(folder, workspace)
    assert [picture.stem for picture in pictures][-1] == "9-ledger"
    assert all(picture.stat().st_size > 20_000 for picture in pictures)
