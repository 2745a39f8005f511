"""What a tool looks like in a crop of a camera."""

from hardware.geometry import Array
from models.tracking.kernels import draw
from models.tracking.model import ToolModel
from models.tracking.pictures import Floats


def draw_model(
    model: ToolModel, points: Array, K: tuple[float, float, float, float], size: tuple[int, int], ss: int
) -> tuple[Floats, Floats, Floats, Floats, Floats]:
    """Render the model with its vertices at points (V, 3) [m], camera frame; K = fx, fy, cx, cy; size = (h, w)."""
    result = draw(
        points,
        model.faces,
        model.colour,
        model.uv,
        model.textured_face,
        model.mips,
        model.mip_shape,
        model.group,
        model.used,
        *K,
        *size,
        ss,
    )
    return tuple(result)
