"""A mesh as OBJ, MTL and PNG that any viewer opens, and from which our own reader gets the same bytes back.

Only what is written here is read here: triangles in order, float64 vertices, one texture or one colour per face.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hardware.types import Mesh
from models.data.errors import DreamFileError
from models.data.photo import read_photo, write_photo
from models.data.text_files import read_text

MAX_LINES = 5_000_000
COLOUR = "rgb_"


def write_mesh(folder: Path, mesh: Mesh) -> None:
    """Write mesh.obj, mesh.mtl and, where there is a texture, texture.png."""
    lines = ["mtllib mesh.mtl", *(f"v {x!r} {y!r} {z!r}" for x, y, z in mesh.vertices.tolist())]
    corners = mesh.faces + 1
    if mesh.uv is not None and mesh.texture is not None:
        # float32 printed as float64 is exact
        lines += [f"vt {u!r} {v!r}" for u, v in mesh.uv.reshape(-1, 2).astype(float).tolist()]
        lines.append("usemtl texture")
        texts = np.arange(mesh.uv.size // 2).reshape(-1, 3) + 1
        lines += [f"f {a}/{d} {b}/{e} {c}/{f}" for (a, b, c), (d, e, f) in zip(corners, texts, strict=True)]
        write_photo(folder / "texture.png", mesh.texture)
    else:
        lines += _coloured_faces(corners, mesh.face_rgb)
    (folder / "mesh.obj").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "mesh.mtl").write_text(_materials(mesh), encoding="utf-8")


def read_mesh(folder: Path) -> Mesh:
    """Read what write_mesh wrote; DreamFileError names file and field."""
    path = folder / "mesh.obj"
    lines = read_text(path).split("\n")
    try:
        return _parse(lines, folder)
    except DreamFileError:
        raise
    except (ValueError, IndexError, OverflowError) as error:
        valid = "an OBJ file as this program writes it: v, vt, usemtl, f with three corners"
        raise DreamFileError(path, "mesh", str(error), valid) from error


def _coloured_faces(corners: NDArray[np.int32], face_rgb: NDArray[np.uint8] | None) -> list[str]:
    if face_rgb is None:
        return [f"f {a} {b} {c}" for a, b, c in corners]
    lines, last = [], ""
    for (a, b, c), rgb in zip(corners, face_rgb, strict=True):
        name = COLOUR + rgb.tobytes().hex()
        lines += [] if name == last else [f"usemtl {name}"]
        lines.append(f"f {a} {b} {c}")
        last = name
    return lines


def _materials(mesh: Mesh) -> str:
    if mesh.texture is not None:
        return "newmtl texture\nKd 1 1 1\nmap_Kd texture.png\n"
    if mesh.face_rgb is None:
        return ""
    colours = np.unique(mesh.face_rgb, axis=0)
    return "".join(
        f"newmtl {COLOUR}{rgb.tobytes().hex()}\nKd {r:.6f} {g:.6f} {b:.6f}\n"
        for rgb, (r, g, b) in zip(colours, colours / 255, strict=True)
    )


def _parse(lines: list[str], folder: Path) -> Mesh:
    vertices, texts, faces, colours, colour = [], [], [], [], b""
    for line in lines[:MAX_LINES]:
        kind, *words = line.split() or [""]
        if kind == "v":
            x, y, z = map(float, words)
            vertices.append((x, y, z))
        elif kind == "vt":
            u, v = map(float, words)
            texts.append((u, v))
        elif kind == "usemtl" and words[0].startswith(COLOUR):
            colour = bytes.fromhex(words[0].removeprefix(COLOUR))
        elif kind == "f":
            a, b, c = words
            faces.append([word.split("/") for word in (a, b, c)])
            colours.append(colour)
    corners = np.array([[int(w[0]) - 1 for w in face] for face in faces], np.int32).reshape(-1, 3)
    textured = bool(faces) and all(len(w) == 2 for face in faces for w in face)
    uv = None
    if textured:
        index = np.array([[int(w[1]) - 1 for w in face] for face in faces])
        if index.min() < 0:
            raise ValueError("a texture corner's number is below 1")
        uv = np.array(texts, np.float32).reshape(-1, 2)[index]
    return Mesh(
        vertices=np.array(vertices, float).reshape(-1, 3),
        faces=corners,
        uv=uv,
        texture=read_photo(folder / "texture.png") if textured else None,
        face_rgb=np.array([list(c) for c in colours], np.uint8) if all(colours) and faces else None,
    )
