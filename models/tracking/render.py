"""A small software rasteriser: what a tool looks like in a crop of a camera. Compiled, without the GIL."""

import math

import numba as nb
import numpy as np

from hardware.geometry import Array
from models.tracking.model import ToolModel
from models.tracking.pictures import Floats

FAST = {"nogil": True, "cache": True, "fastmath": True, "boundscheck": False}
NEAR = 0.02  # [m] a triangle nearer than this to the camera is not drawn


@nb.njit(**FAST)
def rasterise(points, faces, used, fx, fy, cx, cy, depth, face_id):  # type: ignore[no-untyped-def]
    """Draw faces (F, 3) over points (V, 3), camera frame, into inverse depth and face id (H, W), both cleared here.

    Returns the touched rectangle x0, y0, x1, y1 (empty: x1 <= x0).
    """
    h, w = depth.shape
    depth[:] = 0.0
    face_id[:] = -1
    rx0, ry0, rx1, ry1 = w, h, 0, 0
    n = points.shape[0]
    u = np.empty(n)
    v = np.empty(n)
    iz = np.empty(n)
    for i in range(n):
        z = points[i, 2]
        iz[i] = 1.0 / z if z > NEAR else -1.0
        u[i] = fx * points[i, 0] * iz[i] + cx
        v[i] = fy * points[i, 1] * iz[i] + cy
    for f in range(faces.shape[0]):
        a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
        if iz[a] < 0 or iz[b] < 0 or iz[c] < 0:
            continue
        x0 = max(0, math.ceil(min(u[a], u[b], u[c])))
        x1 = min(w - 1, math.floor(max(u[a], u[b], u[c])))
        y0 = max(0, math.ceil(min(v[a], v[b], v[c])))
        y1 = min(h - 1, math.floor(max(v[a], v[b], v[c])))
        if x0 > x1 or y0 > y1:
            continue
        area = (u[b] - u[a]) * (v[c] - v[a]) - (u[c] - u[a]) * (v[b] - v[a])
        if abs(area) < 1e-9:
            continue
        inv = 1.0 / area
        # where a cut through the tool left two faces in one place, the one in use is seen
        bias = 1.0 if used[f] else 0.9995
        # barycentric coordinates are linear in the picture, and so is inverse depth
        b_dx, b_dy = (v[c] - v[a]) * inv, -(u[c] - u[a]) * inv
        c_dx, c_dy = -(v[b] - v[a]) * inv, (u[b] - u[a]) * inv
        for y in range(y0, y1 + 1):
            wb = (x0 - u[a]) * b_dx + (y - v[a]) * b_dy
            wc = (x0 - u[a]) * c_dx + (y - v[a]) * c_dy
            for x in range(x0, x1 + 1):
                if wb >= 0 and wc >= 0 and wb + wc <= 1:
                    q = (iz[a] + wb * (iz[b] - iz[a]) + wc * (iz[c] - iz[a])) * bias
                    if q > depth[y, x]:
                        depth[y, x] = q
                        face_id[y, x] = f
                wb += b_dx
                wc += c_dx
        rx0, ry0, rx1, ry1 = min(rx0, x0), min(ry0, y0), max(rx1, x1 + 1), max(ry1, y1 + 1)
    return rx0, ry0, rx1, ry1


@nb.njit(**FAST)
def mip_of_faces(points, faces, uv, textured, mip_shape, fx, fy):  # type: ignore[no-untyped-def]
    """Return (F,) the texture level whose texels are about as large as a sample."""
    out = np.zeros(faces.shape[0], np.int32)
    th, tw = mip_shape[0, 1], mip_shape[0, 2]
    for f in range(faces.shape[0]):
        if not textured[f]:
            continue
        a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
        za, zb, zc = max(points[a, 2], NEAR), max(points[b, 2], NEAR), max(points[c, 2], NEAR)
        ua, va = fx * points[a, 0] / za, fy * points[a, 1] / za
        ub, vb = fx * points[b, 0] / zb, fy * points[b, 1] / zb
        uc, vc = fx * points[c, 0] / zc, fy * points[c, 1] / zc
        area = abs((ub - ua) * (vc - va) - (uc - ua) * (vb - va))
        texels = (
            abs(
                (uv[f, 1, 0] - uv[f, 0, 0]) * (uv[f, 2, 1] - uv[f, 0, 1])
                - (uv[f, 2, 0] - uv[f, 0, 0]) * (uv[f, 1, 1] - uv[f, 0, 1])
            )
            * tw
            * th
        )
        ratio = texels / max(area, 1e-6)
        level = round(0.5 * math.log2(max(ratio, 1e-6)))
        out[f] = min(max(level, 0), mip_shape.shape[0] - 1)
    return out


@nb.njit(**FAST)
def _texel(mips, mip_shape, level, s, t, out):  # type: ignore[no-untyped-def]
    offset, h, w = mip_shape[level, 0], mip_shape[level, 1], mip_shape[level, 2]
    x = min(max(s * w - 0.5, 0.0), w - 1.0)
    y = min(max(t * h - 0.5, 0.0), h - 1.0)
    x0, y0 = int(x), int(y)
    x1, y1 = min(x0 + 1, w - 1), min(y0 + 1, h - 1)
    ax, ay = x - x0, y - y0
    for k in range(3):
        top = mips[offset + y0 * w + x0, k] * (1 - ax) + mips[offset + y0 * w + x1, k] * ax
        low = mips[offset + y1 * w + x0, k] * (1 - ax) + mips[offset + y1 * w + x1, k] * ax
        out[k] = top * (1 - ay) + low * ay


@nb.njit(**FAST)
def draw(points, faces, colour, uv, textured, mips, mip_shape, group, used, fx, fy, cx, cy, h, w, ss):  # type: ignore[no-untyped-def]
    """Render a crop (h, w), pixel centres at integers, ss x ss samples a pixel.

    Returns colour (h, w, 3) of what is covered, cover (h, w) by faces in use, other (h, w) covered by faces that
    are not, inverse depth (h, w) of the cover (0: none), group (h, w) (-1: none).
    """
    H, W = h * ss, w * ss
    depth = np.empty((H, W), np.float32)
    face_id = np.empty((H, W), np.int32)
    rgb = np.zeros((h, w, 3), np.float32)
    cover = np.zeros((h, w), np.float32)
    other = np.zeros((h, w), np.float32)
    inverse_depth = np.zeros((h, w), np.float32)
    groups = np.full((h, w), -1, np.int32)
    # sample (i + 0.5) / ss - 0.5 of a pixel is at integer i of the fine raster
    half = 0.5 * (ss - 1)
    x0, y0, x1, y1 = rasterise(points, faces, used, fx * ss, fy * ss, cx * ss + half, cy * ss + half, depth, face_id)
    if x1 <= x0:
        return rgb, cover, other, inverse_depth, groups
    mip = mip_of_faces(points, faces, uv, textured, mip_shape, fx * ss, fy * ss)
    share = np.float32(1.0 / (ss * ss))
    texel = np.empty(3, np.float32)
    for Y in range(y0, y1):
        for X in range(x0, x1):
            f = face_id[Y, X]
            if f < 0:
                continue
            y, x = Y // ss, X // ss
            if not used[f]:
                other[y, x] += share
                continue
            q = depth[Y, X]
            cover[y, x] += share
            inverse_depth[y, x] += q * share
            groups[y, x] = group[f]
            if textured[f]:
                a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
                z = 1.0 / q
                px = (X - cx * ss - half) / (fx * ss) * z - points[a, 0]
                py = (Y - cy * ss - half) / (fy * ss) * z - points[a, 1]
                pz = z - points[a, 2]
                e0x, e0y, e0z = (
                    points[b, 0] - points[a, 0],
                    points[b, 1] - points[a, 1],
                    points[b, 2] - points[a, 2],
                )
                e1x, e1y, e1z = (
                    points[c, 0] - points[a, 0],
                    points[c, 1] - points[a, 1],
                    points[c, 2] - points[a, 2],
                )
                d00 = e0x * e0x + e0y * e0y + e0z * e0z
                d01 = e0x * e1x + e0y * e1y + e0z * e1z
                d11 = e1x * e1x + e1y * e1y + e1z * e1z
                d20 = px * e0x + py * e0y + pz * e0z
                d21 = px * e1x + py * e1y + pz * e1z
                det = max(d00 * d11 - d01 * d01, 1e-30)
                wb = (d11 * d20 - d01 * d21) / det
                wc = (d00 * d21 - d01 * d20) / det
                wa = 1.0 - wb - wc
                s = wa * uv[f, 0, 0] + wb * uv[f, 1, 0] + wc * uv[f, 2, 0]
                t = wa * uv[f, 0, 1] + wb * uv[f, 1, 1] + wc * uv[f, 2, 1]
                _texel(mips, mip_shape, mip[f], s, t, texel)
            else:
                texel[:] = colour[f]
            for k in range(3):
                rgb[y, x, k] += texel[k] * share
    for y in range(h):
        for x in range(w):
            if cover[y, x] > 0:
                inverse_depth[y, x] /= cover[y, x]
                for k in range(3):
                    rgb[y, x, k] /= cover[y, x]
    return rgb, cover, other, inverse_depth, groups


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
