"""Tools from files: meshes (OBJ, PLY, STL) in millimetres or metres, and the tool.toml beside them."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
import trimesh
from numpy.typing import NDArray

from hardware.geometry import Array, rotation_from_vector, transform
from hardware.types import Image, Mesh, Tool, require

Units = Literal["mm", "m"]
SCALE: Mapping[Units, float] = {"mm": 1e-3, "m": 1.0}
MESH_SUFFIXES = (".obj", ".ply", ".stl")
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
    path = Path(path)
    _refuse_unreadable(path)
    loaded = _read(path)
    vertices = np.asarray(loaded.vertices, float)
    require(len(vertices) > 0 and len(loaded.faces) > 0, f"{path}: mesh is empty: it has no faces")
    require(bool(np.isfinite(vertices).all()), f"{path}: vertices: one is nan or inf")
    scale = SCALE[_units_of(path, vertices, units)]
    uv, texture, face_rgb = _appearance(loaded)
    vertices, faces, kept = _welded(vertices * scale, np.asarray(loaded.faces))
    require(len(faces) > 0, f"{path}: mesh is empty: every face has no area")
    return Mesh(
        vertices=vertices,
        faces=faces,
        uv=None if uv is None else uv[kept],
        texture=texture,
        face_rgb=None if face_rgb is None else face_rgb[kept],
    )


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
    units = values.get("units")
    if units not in ("mm", "m"):
        raise ValueError(f"{path}: units: {units!r} is neither 'mm' nor 'm'")
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


def _refuse_unreadable(path: Path) -> None:
    suffix = path.suffix.lower()
    require(suffix in MESH_SUFFIXES, f"{path}: mesh: {suffix or 'no suffix'} is not one of {list(MESH_SUFFIXES)}")
    if not path.is_file():
        raise FileNotFoundError(f"{path}: there is no such mesh")
    if suffix != ".obj":
        return
    lines = [line.split(maxsplit=1) for line in path.read_text(encoding="utf-8", errors="replace").splitlines()]
    for library in (path.parent / line[1].strip() for line in lines if len(line) == 2 and line[0] == "mtllib"):
        require(library.is_file(), f"{path}: mtllib: {library.name} is not beside the mesh")
        for line in library.read_text(encoding="utf-8", errors="replace").splitlines():
            words = line.split()
            if words[:1] == ["map_Kd"]:
                picture = library.parent / words[-1]
                require(picture.is_file(), f"{library}: map_Kd: {words[-1]} is not beside the mesh")


def _read(path: Path) -> Any:
    try:
        return trimesh.load_mesh(str(path), process=False)
    except Exception as error:  # the readers of the formats raise whatever they trip over
        raise ValueError(f"{path}: mesh: cannot be read ({type(error).__name__}: {error})") from error


def _units_of(path: Path, vertices: Array, units: Units | None) -> Units:
    extent = float(np.ptp(vertices, axis=0).max())
    fitting = [name for name, scale in SCALE.items() if SMALLEST <= extent * scale <= LARGEST]
    if units is None:
        require(
            len(fitting) == 1,
            f"{path}: units: largest extent {extent:.4g} is a tool of 5 mm to 1 m neither in mm nor in m; "
            "scale the mesh or say the units",
        )
        return fitting[0]
    require(units in SCALE, f"{path}: units: {units!r} is neither 'mm' nor 'm'")
    require(
        units in fitting,
        f"{path}: units: largest extent {extent:.4g} {units} is outside 5 mm to 1 m"
        + (f"; did you mean {fitting[0]!r}?" if fitting else ""),
    )
    return units


def _appearance(loaded: Any) -> tuple[NDArray[np.float32] | None, Image | None, Image | None]:
    """Texture with uv by corner, else one colour a face where there is more than one, else nothing."""
    visual, faces = loaded.visual, np.asarray(loaded.faces)
    if visual.kind == "texture" and visual.uv is not None:
        material = visual.material
        image = getattr(material, "image", None) or getattr(material, "baseColorTexture", None)
        if image is not None:
            texture = np.asarray(image.convert("RGB"), np.uint8)
            return np.asarray(visual.uv, np.float32)[faces], texture, None
        return None, None, None
    if visual.kind in ("face", "vertex"):
        face_rgb = np.asarray(visual.face_colors, np.uint8)[:, :3]
        if len(np.unique(face_rgb, axis=0)) > 1:
            return None, None, face_rgb
    return None, None, None


def _welded(vertices: Array, faces: NDArray[np.int64]) -> tuple[Array, NDArray[np.int32], NDArray[np.bool_]]:
    """Join corners that were split for their texture coordinates; drop faces that have no area."""
    _, first, index = np.unique(np.round(vertices, 8), axis=0, return_index=True, return_inverse=True)
    welded = index.reshape(-1)[faces].astype(np.int32)
    a, b, c = welded.T
    kept = (a != b) & (b != c) & (c != a)
    return vertices[first], welded[kept], kept


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
