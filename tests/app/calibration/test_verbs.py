"""`main.py calibration` as scripts call it: boards, other programs' files, what is kept."""

import json
from pathlib import Path

import pytest

from app.cli import main


def said(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, object]:
    assert main(["calibration", *words, "--json"]) == 0
    return dict(json.loads(capsys.readouterr().out))


def test_cameras_go_out_and_come_back(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    at = ("--workspace", str(tmp_path / "ws"))
    for format in ("ros", "opencv"):
        said(capsys, "export", str(tmp_path / format), "--format", format, *at)
        kept = said(capsys, "import", str(tmp_path / format / "top.yaml"), *at)
        assert kept["problems"] == []
    said(capsys, "export", str(tmp_path / "chain.yaml"), "--format", "kalibr", *at)
    assert len(said(capsys, "import", str(tmp_path / "chain.yaml"), *at)["kept"]) == 3  # type: ignore[arg-type]
    rows = said(capsys, "list", *at)["calibrations"]
    assert isinstance(rows, list)
    assert len(rows) == 5
    used = [row["subject"] for row in rows if row["in_use"]]
    assert sorted(used) == ["cameras", "side", "top"]
    assert all("0.00 px" in " ".join(row["moved"]) for row in rows if row["kind"] == "intrinsics" and row["moved"])


def test_a_camera_that_the_rig_has_not_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    at = ("--workspace", str(tmp_path / "ws"))
    said(capsys, "export", str(tmp_path / "out"), *at)
    file = tmp_path / "out" / "top.yaml"
    assert main(["calibration", "import", str(file), "--camera", "ceiling", *at]) == 3
    assert "'ceiling' is not one of rig sim; valid: top, side" in capsys.readouterr().err
    said(capsys, "import", str(file), "--camera", "side", *at)


def test_a_board_is_written_to_print(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "board.pdf"
    said(capsys, "board", "a4", "--out", str(out), "--workspace", str(tmp_path / "ws"))
    assert out.read_bytes().startswith(b"%PDF-")
    assert main(["calibration", "board", "a3", "--sheet", "a4", "--out", str(out)]) == 3
    assert "a larger sheet" in capsys.readouterr().err
