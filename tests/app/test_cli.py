"""The verbs as scripts call them: exit statuses, one JSON document, nothing half done."""

import hashlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from app.cli import main, parser
from app.dreams.example import BUILT_IN
from app.ledger import Ledger
from hardware.plan_file import load_plan, save_plan
from hardware.planning import default_limits
from hardware.rig import SIM_RIG, load_rig
from hardware.tools import BUILT_IN_TOOLS, load_tool
from models.data.dream_folder import load_dream, load_track, save_track
from models.tracking.trackers import TrackerChoice
from tests.app.jobs import still_track
from tests.hardware.robots.servo_rig import own_address, plan_of, swing_path
from tests.models.data.published import Published, write_published

pytestmark = pytest.mark.timeout(900)  # whole programs, one after the other

ROOT = Path(__file__).parents[2]
WAIT_S = 400.0


@pytest.fixture(autouse=True)
def _workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test touches the workspace of whoever runs it."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))


@pytest.fixture
def published(tmp_path: Path) -> Published:
    (tmp_path / "published").mkdir()
    return write_published(tmp_path / "published")


@pytest.fixture
def rig_file(tmp_path: Path) -> Path:
    """The simulated rig at addresses of our own."""
    text = re.sub(r'address = "[^"]*"', lambda _: f'address = "{own_address()}"', SIM_RIG.read_text())
    path = tmp_path / "rig.toml"
    path.write_text(text)
    return path


@pytest.fixture
def plan_file(tmp_path: Path, rig_file: Path) -> Path:
    """A short swing of both arms from home."""

    rig = load_rig(rig_file)
    tools = {arm.name: load_tool(BUILT_IN_TOOLS[f"rotation_gripper_{arm.role}"]) for arm in rig.arms}
    q = {arm.name: swing_path(arm.home, 3.0, 0.05) for arm in rig.arms}
    limits = {arm.name: default_limits(rig, arm) for arm in rig.arms}
    save_plan(plan_of(rig, tools, q, limits), tmp_path / "plan.json")
    return tmp_path / "plan.json"


def _import(p: Published, out: Path, **changed: object) -> list[str]:
    words = {
        "--layout": "dreamitate",
        "--scene": [*p.scenes],
        "--calibration": p.calibration,
        "--tools": [f"{role}={mesh}" for role, mesh in p.tools.items()],
        "--out": out,
        **{f"--{key}": value for key, value in changed.items()},
    }
    listed = [(key, value if isinstance(value, list) else [value]) for key, value in words.items()]
    return ["dream", "import", str(p.video), *(str(w) for key, values in listed for w in (key, *values))]


def _start(*words: object) -> "subprocess.Popen[str]":
    command = [sys.executable, str(ROOT / "main.py"), *map(str, words)]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, stderr=pipe, text=True)


def _call(*words: object, answer: str = "") -> tuple[int, str, str]:
    with _start(*words) as process:
        out, err = process.communicate(answer, timeout=WAIT_S)
    return process.returncode, out, err


def _execute(*words: object, interrupt_at: str = "") -> tuple[int, str, str]:
    """Execute, Ctrl+C at that line of progress. An overloaded machine stops the arms, as it must: again then."""
    for _ in range(3):
        with _start("execute", *words, "--json") as process:
            if process.stdin is None or process.stderr is None:
                raise OSError("no pipes")
            process.stdin.write("yes\n")
            process.stdin.flush()
            heard = []
            for line in process.stderr:
                heard.append(line)
                if interrupt_at and line.startswith(interrupt_at):
                    os.kill(process.pid, signal.SIGINT)
            out, _err = process.communicate(timeout=WAIT_S)
        said = out + "".join(heard)
        if not re.search(r"late with a command|did not answer for", said):
            break
    return process.returncode, out, said


def test_import_prints_one_json_document_and_makes_the_folder(published: Published, tmp_path: Path) -> None:
    out = tmp_path / "dreams" / "mine"
    code, text, _ = _call(*_import(published, out), "--json", "--workspace", tmp_path / "ws")
    assert code == 0
    values = json.loads(text)
    assert (values["ok"], values["frames"], values["placement"]) == (True, 13, "assumed")
    assert load_dream(out).name == "dream7"
    ledger = Ledger(tmp_path / "ws" / "ledger.sqlite")
    assert ledger.get(values["id"]).record["folder"] == str(out)
    ledger.close()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"calibration": "nowhere.toml"}, ["nowhere.toml", "does not exist"]),
        ({"tools": "left"}, ["--tools", "ROLE=MESH"]),
        ({"tools": ["left=a.obj", "left=b.obj"]}, ["given twice"]),
        ({"tools": "middle=a.obj"}, ["'middle' is unknown", "left", "right"]),
        ({"fps": "0"}, ["fps"]),
        ({"name": "a/b"}, ["name"]),
    ],
)
def test_refused_input_is_exit_3_and_names_file_and_field(
    published: Published,
    tmp_path: Path,
    change: dict[str, object],
    words: Sequence[str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "out"
    assert main([*_import(published, out, **change), "--json"]) == 3
    said = capsys.readouterr()
    error = json.loads(said.out)
    assert (error["ok"], error["error"]["status"]) == (False, 3)
    for word in words:
        assert word in said.err
        assert word in error["error"]["message"]
    assert not out.exists()


@pytest.mark.parametrize(
    "words",
    [
        ["fly"],
        ["dream"],
        ["dream", "import"],
        ["track"],
        ["plan", "x"],
        ["execute", "plan.json"],
        ["emulate", "toaster"],
        ["rig", "check", "--seconds", "soon"],
        ["track", "x", "--tracker", "magic"],
    ],
)
def test_wrong_usage_is_exit_2(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 2
    assert "usage" in capsys.readouterr().err


@pytest.mark.parametrize("verb", ["rig check", "dream import", "track", "plan", "execute", "emulate"])
def test_every_option_is_explained(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*verb.split(), "--help"]) == 0
    text = capsys.readouterr().out
    assert "--workspace" in text
    assert "--json" in text


def test_no_option_is_without_help() -> None:
    waiting = [parser()]
    while waiting:
        current = waiting.pop()
        for action in current._actions:
            if isinstance(action.choices, dict):
                waiting += action.choices.values()
            else:
                assert action.help, (current.prog, action.dest)


def test_tracking_what_is_no_dream_is_exit_3(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["track", str(tmp_path), "--out", str(tmp_path / "poses.json")]) == 3
    assert "dream.toml" in capsys.readouterr().err
    assert main(["track", str(tmp_path), "--out", str(tmp_path / "no" / "poses.json")]) == 3
    assert main(["track", str(BUILT_IN), "--hint", "left:top"]) == 3


def test_planning_an_untracked_dream_says_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = shutil.copytree(BUILT_IN, tmp_path / "dream")
    (folder / "track.json").unlink(missing_ok=True)
    assert main(["plan", str(folder), "--out", str(tmp_path / "plan.json")]) == 3
    assert "run `track" in capsys.readouterr().err
    assert not (tmp_path / "plan.json").exists()


def test_plan_writes_checks_sha256_and_where_it_came_from(
    tmp_path: Path, rig_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = shutil.copytree(BUILT_IN, tmp_path / "dream")
    save_track(
        folder, load_dream(folder), still_track(folder, (), None, TrackerChoice(), lambda *_: None, lambda: False)
    )
    out = tmp_path / "plan.json"
    assert main(["plan", str(folder), "--rig", str(rig_file), "--out", str(out), "--json"]) == 0
    values = json.loads(capsys.readouterr().out)
    plan = load_plan(out)
    assert plan.sha256 == values["sha256"] == json.loads(out.read_text())["sha256"]
    assert {check["rule"] for check in values["checks"]} == {check.rule for check in plan.checks}
    # both tools stand in one place: that is found, and forbids the approval
    assert not values["approvable"]
    assert json.loads(out.read_text())["origin"]["dream_folder"] == str(folder)


def test_a_missing_rig_or_a_spoilt_one_is_exit_3(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rig", "check", "--rig", str(tmp_path / "lab.toml")]) == 3
    (tmp_path / "lab.toml").write_text('name = "lab"\n')
    assert main(["rig", "check", "--rig", str(tmp_path / "lab.toml")]) == 3
    assert "table" in capsys.readouterr().err


def test_a_changed_plan_is_refused_before_anything_starts(
    plan_file: Path, rig_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["execute", str(plan_file), "--approve-as", "Ada", "--yes", "--rig"]
    assert main([*words, "sim"]) == 3
    assert "another rig file" in capsys.readouterr().err
    plan_file.write_text(plan_file.read_text().replace('"speed_scale":1.0', '"speed_scale":0.5'))
    assert main([*words, str(rig_file)]) == 3
    assert "sha256" in capsys.readouterr().err
    assert main(["execute", str(plan_file.with_name("none.json")), "--approve-as", "Ada"]) == 3
    assert main(["execute", str(plan_file), "--approve-as", " "]) == 3


def test_yes_is_not_accepted_for_real_arms(
    plan_file: Path, rig_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:

    text = rig_file.read_text().replace("emulated = true", "emulated = false")
    text = text.replace("simulated = true", "simulated = false")
    real = tmp_path / "real.toml"
    real.write_text(text)

    sha256 = hashlib.sha256(text.encode()).hexdigest()
    save_plan(replace(load_plan(plan_file), rig_sha256=sha256, emulated_only=False), plan_file)
    assert main(["execute", str(plan_file), "--approve-as", "Ada", "--yes", "--rig", str(real)]) == 3
    assert "a person must approve" in capsys.readouterr().err
    save_plan(replace(load_plan(plan_file), emulated_only=True), plan_file)
    assert main(["execute", str(plan_file), "--approve-as", "Ada", "--rig", str(real)]) == 3
    assert "assumed" in capsys.readouterr().err


def test_without_a_yes_nothing_moves(plan_file: Path, rig_file: Path, tmp_path: Path) -> None:
    ws = tmp_path / "ws"
    words = ["execute", plan_file, "--rig", rig_file, "--approve-as", "Ada", "--workspace", ws]
    code, _, err = _call(*words, answer="maybe\n")
    assert code == 5, err
    assert "nothing moved" in err
    assert not any((ws / "runs").iterdir())


def test_ctrl_c_stops_the_arms_and_is_exit_5(plan_file: Path, rig_file: Path, tmp_path: Path) -> None:
    ws = tmp_path / "ws"
    words = [plan_file, "--rig", rig_file, "--approve-as", "Ada", "--workspace", ws]
    code, out, said = _execute(*words, interrupt_at="work 1")
    assert code == 5, said
    assert json.loads(out)["error"]["state"] == "stopped"
    record = json.loads((max((ws / "runs").iterdir()) / "run.json").read_text())
    assert (record["end"], record["person"]) == ("stopped", "Ada")
    assert record["plan_time_s"] < 2.9


def test_rig_check_prints_the_health_of_every_device(rig_file: Path, tmp_path: Path) -> None:
    code, out, err = _call("rig", "check", "--rig", rig_file, "--seconds", "1", "--json", "--workspace", tmp_path)
    assert code == 0, err
    values = json.loads(out)
    assert values["healthy"]
    assert set(values["cameras"]) == {"top", "side"}
    assert values["cameras"]["top"]["fps"] > 1
    assert set(values["arms"]) == {"left", "right"}


def test_a_rig_without_answer_is_exit_4(rig_file: Path, tmp_path: Path) -> None:
    text = rig_file.read_text().replace("simulated = true", "simulated = false").replace("emulated = true", "")
    rig_file.write_text(text)
    code, out, err = _call("rig", "check", "--rig", rig_file, "--json", "--workspace", tmp_path)
    assert code == 4, err
    assert json.loads(out)["error"]["status"] == 4


def test_emulate_serves_until_it_is_stopped(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with _start("emulate", "xarm", "--port", port, "--workspace", tmp_path) as process:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == "ready"
        socket.create_connection(("127.0.0.1", port), timeout=WAIT_S).close()
        os.kill(process.pid, signal.SIGINT)
        assert process.wait(WAIT_S) == 0
    assert _call("emulate", "xarm", "--host", "192.0.2.1", "--workspace", tmp_path)[0] == 3


def test_a_published_dream_goes_all_the_way_to_two_arms(real_dreams: Path, rig_file: Path, tmp_path: Path) -> None:
    """With the benchmark's reference poses in the tracker's place: tracking has its own tests."""
    ws = ["--workspace", tmp_path / "ws"]
    files = Published(
        real_dreams / "001.mp4",
        (real_dreams / "001_top.png", real_dreams / "001_side.png"),
        real_dreams / "calib.json",
        {role: real_dreams / f"tool_{role}.obj" for role in ("left", "right")},
    )
    plan, poses = tmp_path / "plan.json", real_dreams / "poses" / "001.json"
    assert main([*map(str, [*_import(files, tmp_path / "001"), *ws])]) == 0
    words = ["plan", tmp_path / "001", "--track", poses, "--rig", rig_file, "--out", plan, "--trim", 6, 9]
    assert main([*map(str, [*words, "--not-first-run", *ws])]) == 0
    code, out, said = _execute(plan, "--rig", rig_file, "--approve-as", "Ada", "--yes", *ws)
    assert code == 0, said
    values = json.loads(out)
    assert max(values["following_error_rad"].values()) < 0.15
    ledger = Ledger(tmp_path / "ws" / "ledger.sqlite")
    kinds = [entry.kind for entry in ledger.chain(values["execution"])]
    ledger.close()
    assert kinds == ["execution", "approval", "plan", "track", "dream"]


def test_the_built_in_example_goes_all_the_way_to_two_arms(rig_file: Path, tmp_path: Path) -> None:
    folder, ws = shutil.copytree(BUILT_IN, tmp_path / "dream"), ["--workspace", tmp_path / "ws"]
    plan = tmp_path / "plan.json"
    code, out, err = _call("track", folder, "--out", tmp_path / "poses.json", "--json", *ws)
    assert code == 0, err
    assert load_track(folder) is not None
    assert min(tool["found"] for tool in json.loads(out)["tools"].values()) >= 8
    words = ["plan", folder, "--rig", rig_file, "--out", plan, "--trim", 5, 9, "--not-first-run", *ws]
    assert main([*map(str, words)]) == 0
    assert load_plan(plan).violations == ()
    code, out, said = _execute(plan, "--rig", rig_file, "--approve-as", "Ada", "--yes", *ws)
    assert code == 0, said
    assert json.loads(out)["state"] == "done"
