"""What table and arm say of a reading: a tool is not inside the table, and is held from above.

A plain tool turned half round can look the same in every picture of a clip; where the cameras stand in the world is
known, the turned one often has its handle in the table, or the place where an arm is to hold it underneath.
"""

from dataclasses import dataclass

import numpy as np

from hardware.geometry import Array, inverse, transform
from models.tracking.model import ToolModel
from models.types import Dream

SLACK = 0.015  # [m] a right pose may be seen this far inside the table: plain tools are found to 3 to 10 mm
RAMP = 0.03  # [m] from there to beyond doubt
DOUBT = 0.15  # share of the merit that each of the two costs: what a clear look can still outweigh


@dataclass(frozen=True, eq=False)
class Standing:
    """The world around one tool's centre frame: vertices (N, 3) [m], mount (3,) where the flange is; up (4,) maps
    a point of view 1 (homogeneous) to its height over the table [m]."""

    up: Array
    vertices: Array
    mount: Array

    def odds(self, poses: Array) -> Array:
        """Return (...) the share 0.7 to 1 of its merit that a pose T_view1_centre (..., 4, 4) keeps."""
        heights = poses.swapaxes(-1, -2)[..., :3, :3] @ self.up[:3]
        base = poses[..., :3, 3] @ self.up[:3] + self.up[3]
        lowest = (heights @ self.vertices.T).min(axis=-1) + base
        held = heights @ self.mount + base
        inside = np.clip((-lowest - SLACK) / RAMP, 0, 1)
        under = np.clip((lowest - held) / RAMP, 0, 1)
        return np.asarray(1 - DOUBT * (inside + under))


def standing(dream: Dream, role: str, model: ToolModel) -> Standing | None:
    """Return what is known of the world around a tool; None where the cameras' place is only assumed, or where
    the tool's own look (a texture, colours) says more."""
    if dream.placement != "calibrated" or not model.plain:
        return None
    T_centre_flange = transform(np.eye(3), -model.centre) @ inverse(dream.tools[role].T_flange_tool)
    return Standing(dream.T_world_view1[2], model.vertices, T_centre_flange[:3, 3])
