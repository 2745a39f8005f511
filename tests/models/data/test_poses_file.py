"""poses.json is what the published benchmark's own script reads."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from models.data.imports import read_dreamitate
from models.data.poses_file import poses_document, read_poses, write_poses
from models.types import Dream
from tests.models.data.published import make_track


def test_lost_frames_are_null_and_nothing_is_nan(dream: Dream) -> None:
    text = json.dumps(poses_document(make_track(dream), dream), allow_nan=False)
    poses = json.loads(text)["poses"]
    assert [p["T_top_tool"] is None for p in poses if p["tool"] == "left"] == [True, True, *[False] * 11]
    assert all({"tool", "t", "T_top_tool", "confidence", "stereo_disagreement_px"} <= p.keys() for p in poses)


def test_poses_of_another_program_are_read_with_plain_defaults(tmp_path: Path) -> None:
    T = np.eye(4).tolist()
    poses = [{"tool": "left", "t": 4, "T_top_tool": T}, {"tool": "left", "t": 5, "T_top_tool": None}]
    (tmp_path / "poses.json").write_text(json.dumps({"dream": "x", "units": "m", "poses": poses}))
    track = read_poses(tmp_path / "poses.json").tools["left"]
    assert track.source == ("lost",) * 4 + ("tracked", "lost")
    assert track.frame_confidence.tolist() == [0, 0, 0, 0, 1, 0]


def test_a_write_that_fails_keeps_the_old_file(dream: Dream, tmp_path: Path) -> None:
    path = tmp_path / "poses.json"
    write_poses(path, make_track(dream), dream)
    before = path.read_bytes()
    with pytest.raises(AttributeError):
        write_poses(path, None, dream)  # type: ignore[arg-type]
    assert path.read_bytes() == before
    assert list(tmp_path.glob(".*")) == []


def test_the_benchmarks_own_script_scores_our_file(real_dreams: Path, tmp_path: Path) -> None:
    scenes = (real_dreams / "001_top.png", real_dreams / "001_side.png")
    tools = {role: real_dreams / f"tool_{role}.obj" for role in ("left", "right")}
    dream = read_dreamitate(real_dreams / "001.mp4", scenes, real_dreams / "calib.json", tools)
    write_poses(tmp_path / "poses.json", read_poses(real_dreams / "poses" / "001.json"), dream)
    command = [sys.executable, str(real_dreams / "eval.py"), str(tmp_path / "poses.json"), "--json"]
    result = subprocess.run([*command, str(tmp_path / "out.json")], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    scores = json.loads((tmp_path / "out.json").read_text())["001"]
    assert scores["coverage"] == 1.0
    assert scores["mm50"] == pytest.approx(0, abs=1e-9)
