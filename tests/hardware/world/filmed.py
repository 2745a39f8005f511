"""What a filmed table shows, as plain values: made in a process that may draw."""

import numpy as np

from hardware.geometry import Array
from hardware.rig import load_rig
from hardware.world.filmed_table import FilmedTable
from hardware.world.motion import Motion
from hardware.world.scene import scaled_camera
from hardware.world.tasks.layout import lying_at
from hardware.world.tasks.table import lay

Seen = dict[str, float]


def _table(seed: int) -> FilmedTable:
    rig = load_rig("sim")
    cameras = tuple(scaled_camera(c.camera, (96, 56)) for c in rig.cameras)
    return FilmedTable(rig, cameras, lay("push-shape", seed, True), np.random.default_rng([seed, 7, 1]))


def _place(table: FilmedTable) -> Array:
    return table.moment().T_world_thing["thing"][:3, 3]


def _motion(table: FilmedTable) -> Motion:
    motion = table.next_motion()
    if motion is None:
        raise RuntimeError("nobody knows how to push this")
    return motion


def seen() -> Seen:
    """Distances [mm] and differences of grey levels between what should be the same, or should not."""
    with _table(4) as table, _table(4) as other:
        before, start = table.pictures(), table.moment().T_world_thing
        wanted = lying_at(np.array([0.05, 0.05]), 0.5)
        table.put({"thing": wanted})
        moved, after = float(np.linalg.norm(_place(table) - wanted[:3, 3])), table.pictures()
        table.put(start)
        again = table.pictures()
        motion = _motion(table)
        _, moments = table.film(motion, None)
        alone = _place(table)
        other.put(start)
        same = _motion(other)
        other.film(same, 6.0)
        return {
            "moved_mm": 1e3 * moved,
            "changed": float(np.abs(after["top"].astype(int) - before["top"]).mean()),
            "bare again": float(np.abs(again["top"].astype(int) - before["top"]).max()),
            "apart_mm": 1e3 * float(np.linalg.norm(_place(other) - alone)),
            "another_mm": 1e3 * float(np.abs(motion.T_world_tool["tool"] - same.T_world_tool["tool"]).max()),
            "last_s": moments[-1].t,
        }
