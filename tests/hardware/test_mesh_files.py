"""Mesh files: every format comes in with its look, and a hostile file costs a message, never the memory."""

import resource
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
import trimesh
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from hardware.mesh_files import read_mesh_file, to_metres
from hardware.tools import load_mesh

BOX = trimesh.creation.box((100.0, 60.0, 30.0))
MODEL = (
    '<?xml version="1.0"?><model unit="{unit}" xmlns="http://schemas.microsoft.com/3dmanufacturing/core/2015/02">'
)
TRIANGLES = '<mesh><vertices><vertex x="0" y="0" z="0"/><vertex x="90" y="0" z="0"/><vertex x="0" y="50" z="0"/>'
TRIANGLES += '<vertex x="0" y="0" z="20"/></vertices><triangles>{faces}</triangles></mesh>'
FACES = "".join(
    f'<triangle v1="{a}" v2="{b}" v3="{c}"/>' for a, b, c in ((0, 2, 1), (0, 1, 3), (1, 2, 3), (0, 3, 2))
)


def package(path: Path, model: str) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("3D/3dmodel.model", model)
    return path


def simple_3mf(unit: str = "millimeter", faces: str = FACES, resources: str = "", build: str = "") -> str:
    thing = f'<object id="1" type="model">{TRIANGLES.format(faces=faces)}</object>'
    items = build or '<item objectid="1"/>'
    return f"{MODEL.format(unit=unit)}<resources>{resources}{thing}</resources><build>{items}</build></model>"


@pytest.mark.parametrize(("suffix", "kind"), [("stl", "stl"), ("stl", "stl_ascii"), ("obj", "obj"), ("ply", "ply")])
def test_every_format_comes_in_whole(tmp_path: Path, suffix: str, kind: str) -> None:
    path = tmp_path / f"box.{suffix}"
    BOX.export(path, file_type=kind)
    mesh = load_mesh(path)
    assert np.ptp(mesh.vertices, axis=0) == pytest.approx([0.1, 0.06, 0.03])
    assert len(mesh.faces) == 12
    assert len(mesh.vertices) == 8


def test_a_binary_stl_whose_header_begins_like_a_text_one_is_read(tmp_path: Path) -> None:
    path = tmp_path / "box.stl"
    BOX.export(path)
    data = bytearray(path.read_bytes())
    data[:12] = b"solid facet "
    path.write_bytes(data)
    assert len(load_mesh(path).faces) == 12


@pytest.mark.parametrize(("unit", "metres"), [("millimeter", 1e-3), ("inch", 0.0254), ("micron", 1e-6)])
def test_a_3mf_says_its_unit(tmp_path: Path, unit: str, metres: float) -> None:
    found = read_mesh_file(package(tmp_path / "a.3mf", simple_3mf(unit)))
    assert found.unit_m == metres
    assert found.extent == 90
    assert len(found.faces) == 4


def test_a_3mf_keeps_its_colours_and_its_placement(tmp_path: Path) -> None:
    colours = (
        '<basematerials id="9"><base name="r" displaycolor="#FF0000"/><base name="b" displaycolor="#0000FFFF"/>'
    )
    faces = FACES.replace('v3="1"/>', 'v3="1" pid="9" p1="1"/>').replace('v3="2"/>', 'v3="2" pid="9" p1="0"/>')
    build = '<item objectid="1" transform="0 1 0 -1 0 0 0 0 1 5 6 7"/>'
    model = simple_3mf(faces=faces, resources=colours + "</basematerials>", build=build)
    found = read_mesh_file(package(tmp_path / "a.3mf", model))
    assert found.face_rgb is not None
    assert found.face_rgb.tolist() == [[0, 0, 255], [255, 255, 255], [255, 255, 255], [255, 0, 0]]
    assert found.vertices.min(axis=0).tolist() == [-45, 6, 7]


def test_textures_and_vertex_colours_are_kept(tmp_path: Path) -> None:
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (8, 8, 3), np.uint8)).save(tmp_path / "t.png")
    (tmp_path / "t.mtl").write_text("newmtl m\nmap_Kd t.png\n")
    corners = "v 0 0 0\nv 100 0 0\nv 0 100 0\nvt 0 0\nvt 1 0\nvt 0 1\n"
    (tmp_path / "a.obj").write_text(f"mtllib t.mtl\n{corners}usemtl m\nf 1/1 2/2 3/3\n")
    mesh = load_mesh(tmp_path / "a.obj")
    assert mesh.texture is not None
    assert mesh.texture.shape == (8, 8, 3)
    box = BOX.copy()
    box.visual.vertex_colors = np.random.default_rng(1).integers(0, 255, (8, 4), np.uint8)
    box.export(tmp_path / "b.ply")
    assert load_mesh(tmp_path / "b.ply").face_rgb is not None


def bomb(levels: int) -> str:
    """Objects that each hold the one before ten times: 10^levels tetrahedra from a few lines."""
    nested = "".join(
        f'<object id="{k}"><components>{f"""<component objectid="{k - 1}"/>""" * 10}</components></object>'
        for k in range(2, levels + 2)
    )
    model = simple_3mf(build=f'<item objectid="{levels + 1}"/>')
    return model.replace("</resources>", nested + "</resources>")


PLY = b"ply\nformat binary_little_endian 1.0\nelement vertex %d\n"
PLY += b"property float x\nproperty float y\nproperty float z\n"
PLY_FACES = b"element face %d\nproperty list uint uint vertex_indices\nend_header\n"
HOSTILE = {
    "count.stl": (b"\0" * 80 + struct.pack("<I", 2**32 - 1) + b"\0" * 100, "faces: the header says 4294967295"),
    "short.stl": (b"\0" * 30, "too few"),
    "none.stl": (b"", "no bytes"),
    "text.stl": (b"solid x\nfacet\nendsolid x\n", "mesh"),
    "count.ply": (PLY % (2**32 - 1) + PLY_FACES % 1 + b"\0" * 64, "vertex: the header says 4294967295"),
    "faces.ply": (PLY % 3 + PLY_FACES % (2**31) + b"\0" * 64, "face: the header says"),
    "list.ply": (PLY % 3 + PLY_FACES % 1 + b"\0" * 36 + b"\xff" * 4 + b"\0" * 12, "mesh"),
    "type.ply": (b"ply\nformat ascii 1.0\nelement vertex 3\nproperty quad x\nend_header\n", "unknown type"),
    "head.ply": (b"ply\nformat ascii 1.0\nelement vertex many\n", "header"),
    "nan.ply": (PLY % 3 + PLY_FACES % 1 + b"\0\0\xc0\x7f" * 9 + struct.pack("<4I", 3, 0, 1, 2), "nan or inf"),
    "index.ply": (PLY % 3 + PLY_FACES % 1 + b"\0" * 36 + struct.pack("<4I", 3, 0, 1, 2**31), "mesh|faces|vertices"),
    "index.obj": (b"v 0 0 0\nv 9 0 0\nv 0 9 0\nf 1 2 999999999\n", "mesh|faces"),
    "away.obj": (b"mtllib ../../secret.mtl\nv 0 0 0\nv 9 0 0\nv 0 9 0\nf 1 2 3\n", "not beside the mesh"),
    "noise.obj": (bytes(range(256)) * 8, "mesh"),
    "noise.3mf": (bytes(range(256)) * 8, "no 3MF package"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused_naming_file_and_field(tmp_path: Path, name: str) -> None:
    data, message = HOSTILE[name]
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(ValueError, match=message) as refused:
        read_mesh_file(path)
    assert str(path) in str(refused.value)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (bomb(9), "faces: .* with all components"),
        (simple_3mf().replace("<model", '<!DOCTYPE m [<!ENTITY a "aa">]><model'), "document type"),
        (simple_3mf(resources="<a/>" * 100_001), "elements beside the mesh"),
        (simple_3mf("parsec"), "unit: 'parsec'"),
        (simple_3mf(faces='<triangle v1="0" v2="1" v3="77"/>'), "vertex that is not there"),
        (simple_3mf(faces='<triangle v1="0" v2="x" v3="1"/>'), "does not have the numbers"),
        (simple_3mf(build='<item objectid="5"/>'), "objectid: '5'"),
        (simple_3mf(build='<item objectid="1" transform="1 2"/>'), "twelve"),
        (simple_3mf().replace('x="90"', 'x="nan"'), "nan or inf"),
        (simple_3mf()[:-40], "cannot be read"),
        (simple_3mf().replace("<resources>", '<resources><object id="7"><components><component objectid="7"/>'
         "</components></object>").replace('<item objectid="1"/>', '<item objectid="7"/>'), "in a circle"),
    ],
)  # fmt: skip
def test_a_hostile_3mf_is_refused_naming_file_and_field(tmp_path: Path, model: str, message: str) -> None:
    path = package(tmp_path / "bad.3mf", model)
    with pytest.raises(ValueError, match=message) as refused:
        read_mesh_file(path)
    assert str(path) in str(refused.value)


def test_a_zip_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "bomb.3mf"
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("3D/3dmodel.model", "w") as out:
        for _ in range(300):
            out.write(b" " * (1 << 20))
    assert path.stat().st_size < 2_000_000
    with pytest.raises(ValueError, match="bytes unpacked"):
        read_mesh_file(path)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # kB


def test_a_picture_that_is_too_large_is_refused_unread(tmp_path: Path) -> None:
    Image.new("1", (8_000, 8_000)).save(tmp_path / "t.png")
    (tmp_path / "t.mtl").write_text("newmtl m\nmap_Kd t.png\n")
    (tmp_path / "a.obj").write_text("mtllib t.mtl\nv 0 0 0\nv 9 0 0\nv 0 9 0\nusemtl m\nf 1 2 3\n")
    with pytest.raises(ValueError, match="texture: 64000000 pixels"):
        read_mesh_file(tmp_path / "a.obj")


@settings(deadline=None, max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data(), st.sampled_from(["stl", "stl_ascii", "obj", "ply", "3mf"]))
def test_damaged_files_are_read_or_refused_with_their_name_and_nothing_else(
    tmp_path: Path, data: st.DataObject, kind: str
) -> None:
    path = tmp_path / f"damaged.{'stl' if kind == 'stl_ascii' else kind}"
    if kind == "3mf":
        package(path, simple_3mf())
    else:
        BOX.export(path, file_type=kind)
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content) - 1))
        content[at : at + data.draw(st.integers(1, 8))] = data.draw(st.binary(max_size=8))
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))] if data.draw(st.booleans()) else content)
    problem = _problem_of(path)
    assert problem is None or str(path) in problem


def _problem_of(path: Path) -> str | None:
    try:
        to_metres(read_mesh_file(path), 1e-3, path)
    except ValueError as error:
        return str(error)
    return None
