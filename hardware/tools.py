"""Tools from files: meshes (OBJ, PLY, STL, 3MF) in a known unit, and the tool.toml beside them."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from hardware.geometry import Array, rotation_from_vector, transform
from hardware.mesh_files import MESH_SUFFIXES, read_mesh_file, to_metres
from hardware.types import Mesh, Tool, require

Units = Literal["mm", "cm", "m", "inch"]
SCALE: Mapping[Units, float] = {"mm": 1e-3, "cm": 1e-2, "m": 1.0, "inch": 0.0254}
GUESSED: tuple[Units, ...] = ("mm", "m")  # without a person to confirm
SMALLEST, LARGEST = 0.005, 1.0

TOOLS_FOLDER = Path(__file__).parent.parent / "assets" / "tools"
BUILT_IN_TOOLS: Mapping[str, Path] = {
    name: TOOLS_FOLDER / f"{name}.toml"
    for name in ("rotation_gripper_left", "rotation_gripper_right", "scooper", "brush", "pusher")
}


def default_mount() -> Array:
    """T_flange_tool of the built-in tools: flange pointing down holds the tool's +z up, 80 mm below the flange."""
    return transform(np.diag([1.0, -1.0, -1.0]), [0.0, 0.0, 0.08])


def load_mesh(path: Path, units: Units | None = None) -> Mesh:
    """Read a mesh in the tool frame; vertices come out in metres.

    units None: guessed from the largest extent, which must be that of a hand-held tool (5 mm to 1 m) in exactly
    one of the two. Raises ValueError naming file and field (empty mesh, wrong or undecidable units, missing
    texture), FileNotFoundError where there is no such file.
    """
    found = read_mesh_file(Path(path))
    return to_metres(found, SCALE[_units_of(Path(path), found.vertices, units)], path)


def load_tool(path: Path) -> Tool:
    """Read a tool from its tool.toml (see docs/world.md), or from a bare mesh with the default mount.

    A bare mesh is named after its file and its tip is its lowest point (-z) in the tool frame. Raises ValueError
    naming file and field.
    """
    path = Path(path)
    if path.suffix.lower() in MESH_SUFFIXES:
        mesh = load_mesh(path)
        return Tool(path.stem, mesh, default_mount(), tip=mesh.vertices[np.argmin(mesh.vertices[:, 2])])
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: {error}") from error
    units = next((unit for unit in SCALE if unit == values.get("units")), None)
    if units is None:
        raise ValueError(f"{path}: units: {values.get('units')!r} is not one of {list(SCALE)}")
    require(isinstance(values.get("mesh"), str), f"{path}: mesh: the mesh file's name is missing")
    scale = SCALE[units]
    mesh = load_mesh(path.parent / values["mesh"], units)
    mount = values.get("mount", {})
    return Tool(
        name=str(values.get("name", path.stem)),
        mesh=mesh,
        T_flange_tool=transform(
            _rotation_rpy(_numbers(path, mount, "rpy_deg", 3)), _numbers(path, mount, "position", 3) * scale
        ),
        tip=_numbers(path, values, "tip", 3) * scale,
        trackable=_trackable(path, values, mesh, scale),
        symmetry=_symmetry(path, values),
        mass=float(_numbers(path, {"mass_kg": [values.get("mass_kg", 0.2)]}, "mass_kg", 1)[0]),
    )


def _units_of(path: Path, vertices: Array, units: Units | None) -> Units:
    extent = float(np.ptp(vertices, axis=0).max())
    fitting = [name for name in GUESSED if SMALLEST <= extent * SCALE[name] <= LARGEST]
    if units is None:
        require(
            len(fitting) == 1,
            f"{path}: units: largest extent {extent:.4g} is a tool of 5 mm to 1 m neither in mm nor in m; "
            "scale the mesh or say the units",
        )
        return fitting[0]
    require(units in SCALE, f"{path}: units: {units!r} is not one of {list(SCALE)}")
    require(
        SMALLEST <= extent * SCALE[units] <= LARGEST,
        f"{path}: units: largest extent {extent:.4g} {units} is outside 5 mm to 1 m"
        + (f"; did you mean {fitting[0]!r}?" if fitting else ""),
    )
    return units


def _numbers(path: Path, values: Mapping[str, Any], key: str, count: int) -> Array:
    try:
        array = np.array(values.get(key), dtype=float)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{path}: {key}: {values.get(key)!r} is not {count} numbers") from error
    require(
        array.shape == (count,) and bool(np.isfinite(array).all()),
        f"{path}: {key}: {values.get(key)!r} is not {count} finite numbers",
    )
    return array


def _rotation_rpy(rpy_deg: Array) -> Array:
    roll, pitch, yaw = np.radians(rpy_deg)
    turns = rotation_from_vector(np.array([[0, 0, yaw], [0, pitch, 0], [roll, 0, 0]]))
    return np.asarray(turns[0] @ turns[1] @ turns[2])


def _trackable(path: Path, values: Mapping[str, Any], mesh: Mesh, scale: float) -> NDArray[np.bool_] | None:
    """Faces whose middle lies in the box trackable_box = [lower corner, upper corner]; absent: all."""
    if "trackable_box" not in values:
        return None
    flat = {"trackable_box": np.ravel(values["trackable_box"]).tolist()}
    lower, upper = _numbers(path, flat, "trackable_box", 6).reshape(2, 3) * scale
    middle = mesh.vertices[mesh.faces].mean(axis=1)
    inside = np.asarray(((middle >= lower) & (middle <= upper)).all(axis=1))
    require(bool(inside.any()), f"{path}: trackable_box: {values['trackable_box']} holds no face of the mesh")
    return inside


def _symmetry(path: Path, values: Mapping[str, Any]) -> Array:
    vectors = [_numbers(path, {"symmetry_deg": v}, "symmetry_deg", 3) for v in values.get("symmetry_deg", [])]
    return rotation_from_vector(np.radians(vectors)) if vectors else np.zeros((0, 3, 3))
