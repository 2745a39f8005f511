"""A tool as a folder, in a dream or in the library: tool.toml beside its mesh; nothing outside is referred to."""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hardware.types import SymmetryAxis, Tool
from models.data.errors import DreamFileError
from models.data.fields import Fields
from models.data.mesh_text import read_mesh, write_mesh
from models.data.text_files import read_table, to_toml

FILES = ("tool.toml", "mesh.obj", "mesh.mtl", "texture.png")


def save_tool(folder: Path, tool: Tool, source: Mapping[str, object] | None = None) -> None:
    """Write tool.toml and the mesh into a folder that is there; source: plain values, where it came from."""
    table: dict[str, object] = {
        "name": tool.name,
        "mass_kg": tool.mass,
        "tip": tool.tip.tolist(),
        "T_flange_tool": tool.T_flange_tool.tolist(),
        "symmetry": tool.symmetry.tolist(),
    }
    if tool.trackable is not None:
        table["trackable_faces"] = _runs(tool.trackable)
    table |= _optional(tool)
    if source:
        table["source"] = dict(source)
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
            centre_of_mass=_point(fields, "centre_of_mass", "[x, y, z] in metres"),
            min_tip_height=_height(fields),
            symmetry_axis=_axis(fields),
            version=fields.get("version", str, "the tool's version in the library", ""),
        )
    except DreamFileError:
        raise
    except ValueError as error:
        raise DreamFileError(path, "tool", str(error)) from error


def library_tool(folder: Path) -> Tool:
    """Read a tool of the library: it carries its version, which goes with it into dreams."""
    return replace(load_tool_folder(folder), version=tool_version(folder))


def tool_version(folder: Path) -> str:
    """Return 16 hexadecimal digits over every file of a tool's folder."""
    digest = hashlib.sha256()
    for name in FILES:
        path = folder / name
        if path.is_file():
            content = path.read_bytes()
            digest.update(f"{name} {len(content)}\n".encode() + content)
    return digest.hexdigest()[:16]


def is_tool_folder(folder: Path) -> bool:
    """Return whether a folder is of this kind, and not one of a bare tool.toml beside a CAD file."""
    path = folder / "tool.toml"
    try:
        return (folder / "mesh.obj").is_file() and "T_flange_tool" in read_table(path)
    except DreamFileError:
        return False


def _optional(tool: Tool) -> dict[str, object]:
    """What only some tools say; absent means not known, as in folders that are older than the key."""
    table: dict[str, object] = {}
    if tool.centre_of_mass is not None:
        table["centre_of_mass"] = tool.centre_of_mass.tolist()
    if tool.min_tip_height is not None:
        table["min_tip_height"] = tool.min_tip_height
    if tool.version:
        table["version"] = tool.version
    if tool.symmetry_axis is not None:
        table["symmetry_axis"] = {"axis": list(tool.symmetry_axis.axis), "order": tool.symmetry_axis.order}
    return table


def _point(fields: Fields, key: str, valid: str) -> NDArray[np.float64] | None:
    return fields.array(key, (3,), valid) if key in fields.values else None


def _height(fields: Fields) -> float | None:
    key = "min_tip_height"
    return fields.number(key, "metres above the table") if key in fields.values else None


def _axis(fields: Fields) -> SymmetryAxis | None:
    if "symmetry_axis" not in fields.values:
        return None
    inner = fields.table("symmetry_axis", "axis = [x, y, z], order = 0 or 2..36")
    x, y, z = inner.array("axis", (3,), "a unit vector").tolist()
    return SymmetryAxis((x, y, z), inner.get("order", int, "0 for every angle, or 2..36"))


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
