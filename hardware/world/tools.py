"""The four published tools as parametric CAD. `python -m hardware.world.tools` writes assets/tools again.

Every tool frame: +z out of the printed face to the viewer, +x to the working end, y = z x x; origin at the
middle of the printed face. All share one mount: a flange that points down, 80 mm above the printed face.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hardware.geometry import Array
from hardware.tools import TOOLS_FOLDER
from hardware.types import Image
from hardware.world import patterns
from hardware.world.cad import Projection, Solid, loft, mirrored, planar, swatch, write_obj
from hardware.world.patterns import ATLAS_PX, PX_PER_MM, Shape

TEAL, VIOLET, GREY, DARK, GREEN, BLUE = (
    (0, 128, 118), (92, 70, 168), (150, 152, 156), (48, 50, 54), (40, 140, 60), (30, 90, 190),
)  # fmt: skip
SWATCH_PX = 24


@dataclass(frozen=True, eq=False)
class Design:
    """A tool before it is written: solid [mm], pattern sheet, colours by patch, tip (3,) and trackable box [mm]."""

    name: str
    solid: Solid
    sheet_mm: tuple[float, float]
    shapes: tuple[Shape, ...]
    colours: Mapping[str, tuple[int, int, int]]
    tip: tuple[float, float, float]
    mass: float
    trackable_box: tuple[tuple[float, float, float], tuple[float, float, float]] | None = None


def plate_outline(length: float, width: float, inset: float, z: float, chamfer: float = 20.0) -> Array:
    """Ring (48, 3) of a plate that is dull at -x, with its +y corner cut, and half an ellipse at +x."""
    x, y, c = length / 2 - inset, width / 2 - inset, chamfer - 0.59 * inset
    start = length / 2 - 38.0
    angles = np.linspace(-np.pi / 2, np.pi / 2, 33)
    nose = np.stack([start + (x - start) * np.cos(angles), y * np.sin(angles)], axis=1)
    back = np.linspace([start, y], [-x + c, y], 4)[1:]
    cut = np.linspace([-x + c, y], [-x, y - c], 4)[1:]
    dull = np.linspace([-x, y - c], [-x, -y], 6)[1:]
    front = np.linspace([-x, -y], [start, -y], 5)[1:-1]
    ring = np.concatenate([nose, back, cut, dull, front])
    return np.column_stack([ring, np.full(len(ring), z)])


def rotation_gripper(colour: tuple[int, int, int]) -> Design:
    """The left one: a plate of 96 x 140 mm on a handle box, 62 mm deep in all."""
    stack = [(0.0, 0.0, 8.0), (-5.0, 0.0, 0.0), (-12.0, 0.0, 0.0), (-12.1, 0.0, 9.0), (-62.0, 0.0, 5.0)]
    rings = np.stack([plate_outline(140, 96, inset, z) for z, _, inset in stack])
    nose = rings[1, :, 0] > 52
    rim = ["pad" if tip else "rim" for tip in nose]
    count = rings.shape[1]
    side = [rim, rim, ["box"] * count, ["box"] * count]
    return Design(
        name="rotation_gripper_left",
        solid=loft(rings, side, "print", "box"),
        sheet_mm=(140.0, 96.0),
        shapes=patterns.LEFT_PLATE,
        colours={"rim": colour, "pad": DARK, "box": GREY},
        tip=(60.0, 0.0, -62.0),
        mass=0.21,
    )


def rotation_gripper_right() -> Design:
    """Mirror image in shape, with a pattern and a rim of its own."""
    left = rotation_gripper(VIOLET)
    return Design(
        name="rotation_gripper_right",
        solid=mirrored(left.solid),
        sheet_mm=left.sheet_mm,
        shapes=patterns.RIGHT_PLATE,
        colours=left.colours,
        tip=left.tip,
        mass=left.mass,
    )


def slab(x: float, half_width: float, top: float, bottom: float, bevel: float = 3.0) -> Array:
    """Ring (12, 3) across the x axis: a rectangle in y and z with bevelled edges, from the top left round."""
    w, b = half_width, min(bevel, half_width / 2, (top - bottom) / 3)
    yz = [
        (-w + b, top), (0.0, top), (w - b, top), (w, top - b), (w, (top + bottom) / 2), (w, bottom + b),
        (w - b, bottom), (0.0, bottom), (-w + b, bottom), (-w, bottom + b), (-w, (top + bottom) / 2), (-w, top - b),
    ]  # fmt: skip
    return np.array([(x, y, z) for y, z in yz])


def slabs(sections: list[tuple[float, float, float, float]], printed: set[int], body: list[str]) -> Solid:
    """Loft of slabs (x, half width, top, bottom) from -x to +x; sections in `printed` carry the pattern on top."""
    rings = np.stack([slab(*section) for section in sections])
    side = [[("print" if s in printed and m in (0, 1) else body[s]) for m in range(12)] for s in range(len(body))]
    return loft(rings, side, body[0], body[-1])


def bowl_ring(x: float, half_width: float, rim: float, depth: float, wall: float) -> Array:
    """Ring (12, 3) across the x axis: the U of a bowl, its inside from left to right, its outside back."""
    s = np.linspace(-1, 1, 6)
    inside = np.stack([s * (half_width - wall), rim - (depth - wall) * np.sqrt(np.maximum(1 - s**2, 0.0))], axis=1)
    outside = np.stack([-s * half_width, rim - depth * np.sqrt(np.maximum(1 - s**2, 0.0))], axis=1)
    yz = np.concatenate([inside, outside])
    return np.column_stack([np.full(12, x), yz])


def scooper() -> Design:
    """A printed handle of 52 x 120 mm, a neck, and an open bowl of 76 mm."""
    handle = [
        (-60.0, 26.0, 0.0, -24.0),
        (60.0, 26.0, 0.0, -24.0),
        (66.0, 12.0, -6.0, -22.0),
        (76.0, 12.0, -8.0, -20.0),
    ]
    rings = [slab(*section) for section in handle]
    for x in np.linspace(-1, 1, 13):
        round_ = np.sqrt(max(1 - (0.96 * x) ** 2, 0.0))
        rings.append(bowl_ring(116.0 + 38.0 * x, 10 + 28.0 * round_, -8.0, 8 + 22.0 * round_, 2.5))
    side = [["body"] * 12 for _ in range(len(rings) - 1)]
    side[0] = ["print", "print", *["body"] * 10]
    side[3:] = [[("inside" if m < 5 else "bowl") for m in range(12)] for _ in range(len(rings) - 4)]
    return Design(
        name="scooper",
        solid=loft(np.stack(rings), side, "body", "bowl"),
        sheet_mm=(120.0, 52.0),
        shapes=patterns.SCOOPER_HANDLE,
        colours={"body": GREEN, "bowl": GREY, "inside": GREY},
        tip=(116.0, 0.0, -38.0),
        mass=0.14,
        trackable_box=((-61.0, -27.0, -25.0), (61.0, 27.0, 1.0)),
    )


def brush() -> Design:
    """A head of 36 x 120 mm with dark bristles, and a handle that rises backwards."""
    sections = [
        (-150.0, 11.0, 62.0, 44.0), (-60.0, 12.0, 22.0, 2.0), (-22.0, 14.0, 0.0, -18.0), (-18.1, 14.0, 0.0, -20.0),
        (-18.0, 60.0, 0.0, -44.0), (18.0, 60.0, 0.0, -44.0),
    ]  # fmt: skip
    return Design(
        name="brush",
        solid=slabs(sections, {4}, ["grip", "grip", "grip", "body", "body"]),
        sheet_mm=(36.0, 120.0),
        shapes=patterns.BRUSH_HEAD,
        colours={"body": BLUE, "grip": DARK},
        tip=(18.0, 0.0, -44.0),
        mass=0.17,
        trackable_box=((-18.05, -61.0, -45.0), (19.0, 61.0, 1.0)),
    )


def pusher() -> Design:
    """A flat-faced head of 48 x 90 mm, and a handle that rises backwards."""
    sections = [
        (-150.0, 12.0, 56.0, 36.0), (-70.0, 12.0, 20.0, -2.0), (-28.0, 14.0, 0.0, -20.0), (-24.1, 14.0, 0.0, -22.0),
        (-24.0, 45.0, 0.0, -36.0), (24.0, 45.0, 0.0, -36.0),
    ]  # fmt: skip
    return Design(
        name="pusher",
        solid=slabs(sections, {4}, ["grip", "grip", "grip", "body", "body"]),
        sheet_mm=(48.0, 90.0),
        shapes=patterns.PUSHER_HEAD,
        colours={"body": VIOLET, "grip": GREY},
        tip=(24.0, 0.0, -36.0),
        mass=0.18,
        trackable_box=((-24.05, -46.0, -37.0), (25.0, 46.0, 1.0)),
    )


def atlas(design: Design) -> tuple[Image, dict[str, Projection]]:
    """Draw the pattern sheet and one swatch a colour; return picture (512, 512, 3) and the patches into it."""
    picture = np.full((ATLAS_PX, ATLAS_PX, 3), patterns.PAPER, np.uint8)
    sheet = patterns.printed(*design.sheet_mm, design.shapes)
    height, width = sheet.shape[:2]
    picture[:height, :width] = sheet
    box_px = np.array([0.0, 0.0, design.sheet_mm[0] * PX_PER_MM, design.sheet_mm[1] * PX_PER_MM])
    patches: dict[str, Projection] = {
        "print": planar((0, 1), np.zeros(2), np.array(design.sheet_mm), box_px, ATLAS_PX)
    }
    for k, (name, colour) in enumerate(design.colours.items()):
        x = ATLAS_PX - SWATCH_PX * (k + 1)
        picture[-SWATCH_PX:, x : x + SWATCH_PX] = colour
        patches[name] = swatch(x + SWATCH_PX / 2, ATLAS_PX - SWATCH_PX / 2, ATLAS_PX)
    return picture, patches


def tool_toml(design: Design) -> str:
    """The text of the tool's toml; see docs/world.md for the fields."""
    lines = [
        f'name = "{design.name}"',
        f'mesh = "{design.name}.obj"',
        'units = "mm"',
        f"mass_kg = {design.mass}",
        f"tip = {list(design.tip)}                  # lowest working point, tool frame",
        "symmetry_deg = []                         # rotation vectors that leave it looking the same",
    ]
    if design.trackable_box is not None:
        lines.append(f"trackable_box = {[list(corner) for corner in design.trackable_box]}   # tracked part")
    lines += ["", "[mount]                                    # T_flange_tool: flange z is against tool z"]
    lines += ["position = [0.0, 0.0, 80.0]", "rpy_deg = [180.0, 0.0, 0.0]"]
    return "\n".join(lines) + "\n"


def designs() -> tuple[Design, ...]:
    return rotation_gripper(TEAL), rotation_gripper_right(), scooper(), brush(), pusher()


def write_tools(folder: Path = TOOLS_FOLDER) -> None:
    """Write mesh, material, picture and toml of every tool; the same bytes each time."""
    folder.mkdir(parents=True, exist_ok=True)
    for design in designs():
        picture, patches = atlas(design)
        write_obj(folder, design.name, design.solid, patches, picture)
        (folder / f"{design.name}.toml").write_text(tool_toml(design), encoding="utf-8")


if __name__ == "__main__":
    write_tools()
