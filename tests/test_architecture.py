"""The ground plan: rooms import one way only, packages hold nothing in __init__, tests never leak."""

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = ("app", "widgets", "models", "hardware")
QT = {"PySide6", "pyqtgraph", "vispy"}
SDKS = {"xarm", "rtde_control", "rtde_receive", "pyrealsense2", "pypylon"}
TENSORS = {"torch", "diffusers", "transformers"}
SEEN_BY_WIDGETS = {"models.types", "hardware.types", "hardware.geometry"}


def _imports(file: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


def _tops(file: Path) -> set[str]:
    return {name.split(".")[0] for name in _imports(file)}


def _files(*rooms: str) -> list[Path]:
    return [file for room in rooms for file in sorted((ROOT / room).rglob("*.py"))]


def test_rooms_import_only_to_their_right() -> None:
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


def test_init_files_stay_empty() -> None:
    full = [str(p) for room in ROOMS for p in (ROOT / room).rglob("__init__.py") if p.read_text().strip()]
    assert not full


def test_every_package_is_installed_and_no_test_is() -> None:
    listed = set(tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"])
    found = {
        ".".join(p.parent.relative_to(ROOT).parts) for room in ROOMS for p in (ROOT / room).rglob("__init__.py")
    }
    assert listed == found


@pytest.mark.parametrize(
    ("rooms", "foreign"),
    [
        (("models", "hardware"), QT),
        (("hardware", "app", "widgets"), TENSORS),
        (("models", "widgets", "app"), SDKS),
    ],
)
def test_a_room_does_not_know_what_it_must_not(rooms: tuple[str, ...], foreign: set[str]) -> None:
    knows = {str(file): _tops(file) & foreign for file in _files(*rooms) if _tops(file) & foreign}
    assert not knows


def test_app_keeps_qt_in_its_gui_folder() -> None:
    assert not [file for file in _files("app") if "gui" not in file.parts and _tops(file) & QT]


def test_widgets_see_only_types_and_geometry_of_the_rooms_to_their_right() -> None:
    for file in _files("widgets"):
        inner = {n for n in _imports(file) if n.split(".")[0] in ("models", "hardware")}
        strangers = {n for n in inner if not any(n == s or n.startswith(s + ".") for s in SEEN_BY_WIDGETS)}
        assert strangers <= {"models", "hardware"}, f"{file} imports {strangers}"


def test_main_knows_only_the_program() -> None:
    assert _tops(ROOT / "main.py") & set(ROOMS) == {"app"}
