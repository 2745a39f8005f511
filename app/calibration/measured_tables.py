"""The table as an arm touched it (WORKSPACE/calibration/table_ARM.toml), which counts for plans and commands.

Only upwards: a table that was found lower than the rig's leaves the rig's.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np

from hardware.calibration.table_plane import STEEPEST_RAD, PlaneResult
from hardware.geometry import Array
from hardware.rig import ArmConfig, Rig
from models.data.fields import Fields
from models.data.text_files import read_table

# a table that far from the rig's is another table, or a rig that was moved
FURTHEST_M = 0.05


def table_file(workspace: Path, arm: str) -> Path:
    """Return where an arm's touched table is kept."""
    return workspace / "calibration" / f"table_{arm}.toml"


def with_measured_tables(rig: Rig, workspace: Path) -> Rig:
    """Return the rig with each arm's table as it was touched with that arm on that rig, else as drawn.

    Raises DreamFileError naming file and field where a measurement is broken or makes no sense: nothing is guessed
    about a table that a person has measured.
    """
    arms = tuple(_with_table(rig, arm, table_file(workspace, arm.name)) for arm in rig.arms)
    return replace(rig, arms=arms)


def _with_table(rig: Rig, arm: ArmConfig, file: Path) -> ArmConfig:
    drawn = replace(arm, table_height=0.0, table_measured="")
    if not file.is_file():
        return drawn
    fields = Fields(read_table(file), file)
    if fields.get("rig", str, "the name of a rig", "") != rig.name:
        return drawn
    height = _highest(_plane(fields), arm.T_world_base, rig.safety.workspace)
    if abs(height) > FURTHEST_M:
        problem = f"puts the table {1e3 * height:+.0f} mm from the rig's, at its highest"
        raise fields.wrong(
            "offset", problem, f"up to {1e3 * FURTHEST_M:.0f} mm: touch the table again, or delete it"
        )
    measured = fields.get("measured", str, "a time as text")
    return replace(drawn, table_height=max(height, 0.0), table_measured=measured[:10])


def _plane(fields: Fields) -> PlaneResult:
    normal = fields.array("normal", (3,), "a unit vector")
    if abs(float(np.linalg.norm(normal)) - 1) > 1e-3:
        raise fields.wrong("normal", f"has length {np.linalg.norm(normal):.3g}", "a unit vector")
    if np.arccos(np.clip(normal[2], -1, 1)) > STEEPEST_RAD:
        raise fields.wrong("normal", f"{normal.tolist()} is no table's", "about [0, 0, 1]: touch the table again")
    return PlaneResult(normal, fields.number("offset", "metres"), np.zeros(0), 0.0)


def _highest(plane: PlaneResult, T_world_base: Array, workspace: Array) -> float:
    """Return the height [m] of the table's highest place under a workspace (2, 3), all in world."""
    world = plane.in_world(T_world_base)
    corners = [(x, y) for x in workspace[:, 0] for y in workspace[:, 1]]
    return max(world.height_at(np.array(corner)) for corner in corners)
