"""A tool under a person's hands: every change is a function from one draft to the next, so each can be undone."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hardware.geometry import Array, apply, inverse, is_transform, transform
from hardware.mesh_files import read_mesh_file, to_metres
from hardware.tools import SCALE, Units, default_mount
from hardware.types import Mesh, SymmetryAxis, Tool, require
from models.data.mesh_check import UnitGuess, check_mesh, components, decimate, guess_unit, repair
from models.data.tool_shape import PLASTIC, beyond_plane, find_symmetry, inside_box, mass_of, symmetry_turns

ORIGINS = ("centre of its box", "middle of its bottom", "middle of its top", "centre of mass")
FACTORS = (1e-4, 1e4)


@dataclass(frozen=True, eq=False)
class ToolDraft:
    """tool as it would be saved; source: file, sha256 and unit it came from; guess: what its size says of the unit,
    None for a tool that was saved before; changes: what was done to the mesh, in words; density [kg/m^3] that the
    mass comes from, None where it was typed."""

    tool: Tool
    source: Mapping[str, object] = field(default_factory=dict)
    guess: UnitGuess | None = None
    unit: Units = "m"
    changes: tuple[str, ...] = ()
    density: float | None = None


def draft_of_file(path: Path) -> ToolDraft:
    """Return the draft of a CAD file: likeliest unit, default mount, lowest point as tip, mass of solid plastic.

    Raises ValueError naming file and field, OSError.
    """
    path = Path(path)
    found = read_mesh_file(path)
    guess = guess_unit(found.extent, found.unit_m)
    mesh = to_metres(found, SCALE[guess.unit], path)
    source = {"file": path.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest(), "unit": guess.unit}
    tool = Tool(_plain_name(path.stem), mesh, default_mount(), tip=_lowest(mesh))
    draft = ToolDraft(tool, source, guess, guess.unit)
    try:
        return with_density(draft, PLASTIC)
    except ValueError:  # a flat mesh: its mass is to be typed
        return draft


def in_unit(draft: ToolDraft, unit: Units) -> ToolDraft:
    """Read the file's numbers in a unit that a person chose; then there is no doubt."""
    factor = SCALE[unit] / SCALE[draft.unit]
    guess = None if draft.guess is None else UnitGuess(unit, f"{unit}, chosen by a person", True)
    return replace(_scaled(draft, factor), unit=unit, guess=guess, source={**draft.source, "unit": unit})


def scaled(draft: ToolDraft, factor: float) -> ToolDraft:
    """Make the tool larger or smaller; where it is mounted stays."""
    require(FACTORS[0] <= factor <= FACTORS[1], f"scale: {factor:g}; valid: {FACTORS[0]:g} to {FACTORS[1]:g}")
    return _noted(_scaled(draft, factor), f"scaled by {factor:g}")


def moved_frame(draft: ToolDraft, T_old_new: Array, note: str) -> ToolDraft:
    """Describe the same tool, mounted as it is, in another tool frame. An axis off the origin is no symmetry."""
    require(is_transform(T_old_new), "origin and axes: not a rigid transform")
    tool, T_new_old = draft.tool, inverse(T_old_new)
    turn = T_new_old[:3, :3]
    axis = _turned_axis(tool, T_old_new, turn)
    moved = replace(
        tool,
        mesh=replace(tool.mesh, vertices=apply(T_new_old, tool.mesh.vertices)),
        T_flange_tool=tool.T_flange_tool @ T_old_new,
        tip=apply(T_new_old, tool.tip[None])[0],
        centre_of_mass=None if tool.centre_of_mass is None else apply(T_new_old, tool.centre_of_mass[None])[0],
        symmetry_axis=axis,
        symmetry=symmetry_turns(axis),
    )
    return _noted(replace(draft, tool=moved), note)


def with_origin(draft: ToolDraft, place: str) -> ToolDraft:
    """Put the origin where one of ORIGINS says, the axes stay."""
    require(place in ORIGINS, f"origin: {place!r}; valid: one of {list(ORIGINS)}")
    mesh = draft.tool.mesh
    used = mesh.vertices[np.unique(mesh.faces)]
    lower, upper = used.min(axis=0), used.max(axis=0)
    middle = (lower + upper) / 2
    points = {
        ORIGINS[0]: middle,
        ORIGINS[1]: np.array([middle[0], middle[1], lower[2]]),
        ORIGINS[2]: np.array([middle[0], middle[1], upper[2]]),
        ORIGINS[3]: middle if draft.tool.centre_of_mass is None else draft.tool.centre_of_mass,
    }
    return moved_frame(draft, transform(np.eye(3), points[place]), f"origin at the {place}")


def quarter_turn(draft: ToolDraft, axis: int) -> ToolDraft:
    """Turn the axes so that the tool turns by 90 degrees about axis 0..2."""
    R = np.eye(3)
    a, b = (axis + 1) % 3, (axis + 2) % 3
    R[[a, a, b, b], [a, b, a, b]] = [0.0, 1.0, -1.0, 0.0]
    return moved_frame(draft, transform(R, np.zeros(3)), f"turned by 90 degrees about {'xyz'[axis]}")


def repaired(draft: ToolDraft) -> ToolDraft:
    """Close and straighten the mesh; what was changed is noted."""
    mesh, old, said = repair(draft.tool.mesh)
    if not said:
        return draft
    draft = replace(draft, tool=_with_mesh(draft.tool, mesh, old), changes=(*draft.changes, *said))
    return draft if draft.density is None else with_density(draft, draft.density)


def thinned(draft: ToolDraft, faces: int) -> ToolDraft:
    """Take faces away until about so many are left."""
    count = len(draft.tool.mesh.faces)
    require(100 <= faces < count, f"faces: {faces}; valid: 100 to {count - 1}")
    mesh, old = decimate(draft.tool.mesh, faces)
    look = ", its texture is now one colour a face" if draft.tool.mesh.texture is not None else ""
    note = f"thinned from {count} to {len(mesh.faces)} faces{look}"
    return _noted(replace(draft, tool=_with_mesh(draft.tool, mesh, old)), note)


def track_all(draft: ToolDraft) -> ToolDraft:
    return replace(draft, tool=replace(draft.tool, trackable=None))


def track_piece(draft: ToolDraft, piece: int) -> ToolDraft:
    """Track one connected piece only, 0 the largest."""
    labels = components(draft.tool.mesh)
    require(0 <= piece <= labels.max(), f"piece: {piece + 1}; valid: 1 to {labels.max() + 1}")
    return replace(draft, tool=replace(draft.tool, trackable=labels == piece))


def track_cut(draft: ToolDraft, axis: int, at: float, above: bool) -> ToolDraft:
    """Track what lies above, or below, `at` [m] along axis 0..2."""
    return replace(draft, tool=replace(draft.tool, trackable=beyond_plane(draft.tool.mesh, axis, at, above)))


def track_box(draft: ToolDraft, lower: Array, upper: Array) -> ToolDraft:
    """Track what lies in a box of corners (3,) [m]."""
    return replace(draft, tool=replace(draft.tool, trackable=inside_box(draft.tool.mesh, lower, upper)))


def with_symmetry(draft: ToolDraft, symmetry: SymmetryAxis | None) -> ToolDraft:
    return replace(draft, tool=replace(draft.tool, symmetry_axis=symmetry, symmetry=symmetry_turns(symmetry)))


def propose_symmetry(draft: ToolDraft) -> tuple[ToolDraft | None, str]:
    """Return the draft with the symmetry of the tracked part, its origin moved onto the axis, and the proposal in
    words; None where there is nothing to propose. A person confirms."""
    tool = draft.tool
    mesh = tool.mesh if tool.trackable is None else _part(tool.mesh, tool.trackable)
    found = find_symmetry(mesh)
    if found is None:
        return None, "No symmetry found: every turn of this shape can be told."
    if not found.looks:
        return None, f"{found.words[0].upper()}{found.words[1:]}."
    axis = np.array(found.symmetry.axis)
    away = found.point - axis * float(axis @ found.point)
    words = f"{found.words[0].upper()}{found.words[1:]}"
    if np.linalg.norm(away) > 1e-5:
        note = f"origin moved by {1e3 * np.linalg.norm(away):.1f} mm onto the axis of symmetry"
        draft = moved_frame(draft, transform(np.eye(3), away), note)
        words += f"; the origin moves {1e3 * np.linalg.norm(away):.1f} mm onto that axis"
    return with_symmetry(draft, found.symmetry), f"{words}."


def with_density(draft: ToolDraft, density: float) -> ToolDraft:
    """Take mass and centre from the volume."""
    found = mass_of(draft.tool.mesh, density)
    return replace(draft, tool=replace(draft.tool, mass=found.mass, centre_of_mass=found.centre), density=density)


def _part(mesh: Mesh, mask: NDArray[np.bool_]) -> Mesh:
    return Mesh(
        mesh.vertices,
        mesh.faces[mask],
        uv=None if mesh.uv is None else mesh.uv[mask],
        texture=mesh.texture,
        face_rgb=None if mesh.face_rgb is None else mesh.face_rgb[mask],
    )


def _scaled(draft: ToolDraft, factor: float) -> ToolDraft:
    tool = draft.tool
    centre = None if tool.centre_of_mass is None else tool.centre_of_mass * factor
    mesh = replace(tool.mesh, vertices=tool.mesh.vertices * factor)
    draft = replace(draft, tool=replace(tool, mesh=mesh, tip=tool.tip * factor, centre_of_mass=centre))
    return draft if draft.density is None else with_density(draft, draft.density)


def _with_mesh(tool: Tool, mesh: Mesh, old: NDArray[np.int64]) -> Tool:
    trackable = None if tool.trackable is None else tool.trackable[old]
    if trackable is not None and not trackable.any():
        trackable = None
    return replace(tool, mesh=mesh, trackable=trackable)


def _turned_axis(tool: Tool, T_old_new: Array, turn: Array) -> SymmetryAxis | None:
    if tool.symmetry_axis is None:
        return None
    axis = np.array(tool.symmetry_axis.axis)
    off = T_old_new[:3, 3] - axis * float(axis @ T_old_new[:3, 3])
    if np.linalg.norm(off) > 1e-6:
        return None
    x, y, z = (turn @ axis).tolist()
    return SymmetryAxis((x, y, z), tool.symmetry_axis.order)


def _noted(draft: ToolDraft, note: str) -> ToolDraft:
    return replace(draft, changes=(*draft.changes, note))


def _lowest(mesh: Mesh) -> Array:
    used = mesh.vertices[np.unique(mesh.faces)]
    return np.asarray(used[np.argmin(used[:, 2])])


def _plain_name(text: str) -> str:
    made = "".join(c if c.isascii() and (c.isalnum() or c in "-_") else "_" for c in text)[:64]
    return made.strip("_") or "tool"


def report_words(draft: ToolDraft) -> str:
    """One line about the mesh: faces, pieces, holes."""
    return check_mesh(draft.tool.mesh).words
