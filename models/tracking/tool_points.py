"""Which points of a tool stand for what is tracked of it."""

import numpy as np

from hardware.geometry import Array
from hardware.types import Tool


def tracked_corners(tool: Tool) -> Array:
    """Return the corners (N, 3) of the faces that may be tracked, in the tool frame [m]."""
    faces = tool.mesh.faces if tool.trackable is None else tool.mesh.faces[tool.trackable]
    return np.asarray(tool.mesh.vertices[np.unique(faces)])


def tracked_centre(tool: Tool) -> Array:
    """Return the middle (3,) of the box around them."""
    corners = tracked_corners(tool)
    return np.asarray((corners.min(axis=0) + corners.max(axis=0)) / 2)
