"""A tool inside a dream folder: tool.toml beside its mesh. Self-contained: nothing outside is referred to."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hardware.types import Tool
from models.data.errors import DreamFileError
from models.data.fields import Fields
from models.data.mesh_text import read_mesh, write_mesh
from models.data.text_files import read_table, to_toml


def save_tool(folder: Path, tool: Tool) -> None:
    """Write tool.toml and the mesh into a folder that is there."""
    table: dict[str, object] = {
        "name": tool.name,
        "mass_kg": tool.mass,
        "tip": tool.tip.tolist(),
        "T_flange_tool": tool.T_flange_tool.tolist(),
        "symmetry": tool.symmetry.tolist(),
    }
    if tool.trackable is not None:
        table["trackable_faces"] = _runs(tool.trackable)
    (folder / "tool.toml").write_text(to_toml(table), encoding="utf-8")
    write_mesh(folder, tool.mesh)


def load_tool_folder(folder: Path) -> Tool:
    """Read a tool back exactly; DreamFileError names file and field."""
    path = folder / "tool.toml"
    fields = Fields(read_table(path), path)
    mesh = read_mesh(folder)
    try:
        return Tool(
            name=fields.get("name", str, "a name"),
            mesh=mesh,
            T_flange_tool=fields.pose("T_flange_tool"),
            tip=fields.array("tip", (3,), "[x, y, z] in metres"),
            trackable=_trackable(fields, len(mesh.faces)),
            symmetry=_symmetry(fields),
            mass=fields.number("mass_kg", "a mass in kg, 0 or more"),
        )
    except DreamFileError:
        raise
    except ValueError as error:
        raise DreamFileError(path, "tool", str(error)) from error


def _symmetry(fields: Fields) -> NDArray[np.float64]:
    if fields.get("symmetry", list, "a list of rotations", []) == []:
        return np.zeros((0, 3, 3))
    return fields.array("symmetry", (-1, 3, 3), "a list of 3x3 rotations")


def _runs(mask: NDArray[np.bool_]) -> list[list[int]]:
    """[first, end) of every run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(int)))
    return [[int(a), int(b)] for a, b in edges.reshape(-1, 2)]


def _trackable(fields: Fields, faces: int) -> NDArray[np.bool_] | None:
    if "trackable_faces" not in fields.values:
        return None
    valid = f"a list of [first, end) face numbers within 0..{faces}"
    empty = fields.values["trackable_faces"] == []
    runs = np.zeros((0, 2)) if empty else fields.array("trackable_faces", (-1, 2), valid)
    mask = np.zeros(faces, bool)
    for first, end in runs.tolist():
        if not 0 <= first < end <= faces or first != int(first) or end != int(end):
            raise fields.wrong("trackable_faces", f"[{first:g}, {end:g}]", valid)
        mask[int(first) : int(end)] = True
    return mask
