"""The numbers of a tool as a person types them (mm, degrees, grams), and back, with what is wrong beside each."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from app.tools.draft import ToolDraft, with_density, with_symmetry
from hardware.geometry import Array, rotation_from_vector, transform
from hardware.types import SymmetryAxis, Tool
from models.data.fields import safe_name

FURTHEST_M = 1.5


@dataclass(frozen=True)
class FieldSpec:
    """title and hint for the form; show: a draft's value as text; read: the next draft, or ValueError in words."""

    title: str
    hint: str
    show: Callable[[ToolDraft], str]
    read: Callable[[ToolDraft, str], ToolDraft]


def edited(draft: ToolDraft, texts: Mapping[str, str]) -> tuple[ToolDraft, Mapping[str, str]]:
    """Return the draft with what was typed, field by field; a field that is wrong is left as it was and named with
    its problem."""
    problems: dict[str, str] = {}
    for key, text in texts.items():
        if text.strip() == FIELDS[key].show(draft).strip():
            continue
        try:
            draft = FIELDS[key].read(draft, text.strip())
        except ValueError as error:
            problems[key] = str(error)
    return draft, problems


def shown(draft: ToolDraft) -> dict[str, str]:
    """Return every field's text."""
    return {key: field.show(draft) for key, field in FIELDS.items()}


def rpy_of(R: Array) -> Array:
    """Return roll, pitch, yaw (3,) [rad] with R = Rz(yaw) Ry(pitch) Rx(roll); roll 0 where pitch is upright."""
    pitch = np.arctan2(-R[2, 0], np.hypot(R[0, 0], R[1, 0]))
    if np.hypot(R[0, 0], R[1, 0]) < 1e-9:
        return np.array([0.0, pitch, np.arctan2(-R[0, 1], R[1, 1])])
    return np.array([np.arctan2(R[2, 1], R[2, 2]), pitch, np.arctan2(R[1, 0], R[0, 0])])


def rotation_of(rpy: Array) -> Array:
    """Return Rz(yaw) Ry(pitch) Rx(roll) (3, 3)."""
    x, y, z = rotation_from_vector(np.diag(np.asarray(rpy, float)))
    return np.asarray(z @ y @ x)


def numbers(text: str, count: int, largest: float = np.inf) -> Array:
    """Return `count` numbers of a text, split by commas or spaces; ValueError in words."""
    words = text.replace(",", " ").replace(";", " ").split()
    what = "a number" if count == 1 else f"{count} numbers, such as {', '.join(['0', '12.5', '-80'][:count])}"
    try:
        values = np.array([float(word) for word in words])
    except ValueError as error:
        raise ValueError(f"{text!r} is not {what}") from error
    if values.shape != (count,) or not np.isfinite(values).all():
        raise ValueError(f"{text!r} is not {what}")
    if np.abs(values).max() > largest:
        raise ValueError(f"{np.abs(values).max():g} is too large; valid: up to {largest:g}")
    return values


def _name(draft: ToolDraft, text: str) -> ToolDraft:
    name = safe_name(text, lambda p: ValueError(f"{p}; valid: 1 to 64 letters, digits, - or _"))
    return replace(draft, tool=replace(draft.tool, name=name))


def _mm(text: str) -> Array:
    return numbers(text, 3, 1e3 * FURTHEST_M) / 1e3


def _tip(draft: ToolDraft, text: str) -> ToolDraft:
    tip, mesh = _mm(text), draft.tool.mesh
    away = float(np.linalg.norm(np.maximum(0, np.maximum(mesh.vertices.min(0) - tip, tip - mesh.vertices.max(0)))))
    if away > 0.05:
        raise ValueError(f"lies {1e3 * away:.0f} mm outside the tool; valid: within 50 mm of it")
    return replace(draft, tool=replace(draft.tool, tip=tip))


def _mount_position(draft: ToolDraft, text: str) -> ToolDraft:
    R = draft.tool.T_flange_tool[:3, :3]
    return replace(draft, tool=replace(draft.tool, T_flange_tool=transform(R, _mm(text))))


def _mount_rpy(draft: ToolDraft, text: str) -> ToolDraft:
    R = rotation_of(np.radians(numbers(text, 3, 360.0)))
    return replace(draft, tool=replace(draft.tool, T_flange_tool=transform(R, draft.tool.T_flange_tool[:3, 3])))


def _mass(draft: ToolDraft, text: str) -> ToolDraft:
    grams = float(numbers(text, 1, 50_000.0)[0])
    if grams < 0:
        raise ValueError(f"{grams:g} g is negative; valid: 0 to 50000")
    return replace(draft, tool=replace(draft.tool, mass=grams / 1e3), density=None)


def _density(draft: ToolDraft, text: str) -> ToolDraft:
    return with_density(draft, float(numbers(text, 1)[0])) if text else replace(draft, density=None)


def _centre(draft: ToolDraft, text: str) -> ToolDraft:
    centre = _mm(text) if text else None
    return replace(draft, tool=replace(draft.tool, centre_of_mass=centre), density=None)


def _height(draft: ToolDraft, text: str) -> ToolDraft:
    height = float(numbers(text, 1)[0]) / 1e3 if text else None
    if height is not None and not 0 <= height <= 0.5:
        raise ValueError(f"{1e3 * height:g} mm; valid: 0 to 500, or nothing: the rig's own")
    return replace(draft, tool=replace(draft.tool, min_tip_height=height))


def _symmetry(draft: ToolDraft, text: str) -> ToolDraft:
    if not text or text == "none":
        return with_symmetry(draft, None)
    valid = "valid: none, 'z every', 'z 4', or an axis such as '0 0 1 4'"
    *axis, order = text.replace(",", " ").split()
    number = 0 if order in ("every", "0") else int(order) if order.isdigit() and len(order) < 4 else -1
    letters = {"x": np.eye(3)[0], "y": np.eye(3)[1], "z": np.eye(3)[2]}
    vector = letters[axis[0]] if len(axis) == 1 and axis[0] in letters else None
    if number < 0 or (vector is None and len(axis) != 3):
        raise ValueError(f"{text!r}; {valid}")
    vector = numbers(" ".join(axis), 3) if vector is None else vector
    length = float(np.linalg.norm(vector))
    if length < 1e-6:
        raise ValueError(f"the axis has no length; {valid}")
    x, y, z = (vector / length).tolist()
    return with_symmetry(draft, SymmetryAxis((x, y, z), number))


def symmetry_text(tool: Tool) -> str:
    """The symmetry as it is typed."""
    if tool.symmetry_axis is None:
        return "none" if not len(tool.symmetry) else f"{len(tool.symmetry)} turns of its own"
    axis = np.array(tool.symmetry_axis.axis)
    name = next(("xyz"[k] for k in range(3) if axis[k] > 1 - 1e-9), " ".join(f"{v:.4g}" for v in axis))
    return f"{name} {tool.symmetry_axis.order or 'every'}"


def _three(values: Array | None, scale: float = 1e3) -> str:
    return "" if values is None else ", ".join(f"{v * scale + 0.0:.4g}" for v in np.round(values, 7))


FIELDS: Mapping[str, FieldSpec] = {
    "name": FieldSpec("Name", "letters, digits, - and _", lambda d: d.tool.name, _name),
    "mount_position": FieldSpec(
        "Mount, mm",
        "x, y, z from the flange",
        lambda d: _three(d.tool.T_flange_tool[:3, 3]),
        _mount_position,
    ),
    "mount_rpy": FieldSpec(
        "Mount, turn, °",
        "roll, pitch, yaw",
        lambda d: _three(np.degrees(rpy_of(d.tool.T_flange_tool[:3, :3])), 1.0),
        _mount_rpy,
    ),
    "tip": FieldSpec("Tip, mm", "x, y, z in the tool's frame", lambda d: _three(d.tool.tip), _tip),
    "min_tip_height": FieldSpec(
        "Lowest tip, mm",
        "above the table; empty: the rig's",
        lambda d: "" if d.tool.min_tip_height is None else f"{1e3 * d.tool.min_tip_height:.4g}",
        _height,
    ),
    "symmetry": FieldSpec("Symmetry", "none, z 4, z every", lambda d: symmetry_text(d.tool), _symmetry),
    "density": FieldSpec(
        "Density, kg/m³",
        "gives mass and centre",
        lambda d: "" if d.density is None else f"{d.density:.4g}",
        _density,
    ),
    "mass": FieldSpec("Mass, g", "", lambda d: f"{1e3 * d.tool.mass:.4g}", _mass),
    "centre_of_mass": FieldSpec(
        "Centre of mass, mm", "x, y, z; empty: not known", lambda d: _three(d.tool.centre_of_mass), _centre
    ),
}
