"""The compiled inner loops of the tracker: rasteriser, residuals, normal equations, rough fits and scores.

All of them stand in this one file because a compiled function's cache is renewed only when its own file changes:
spread over several files, an edit of one would leave old machine code inside the others.
"""

import math

import numba as nb
import numpy as np

FAST = {"nogil": True, "cache": True, "fastmath": True, "boundscheck": False}
NEAR = 0.02  # [m] a triangle nearer than this to the camera is not drawn

# A part of the tool that is not to be looked at still stands somewhere: the scene cannot be seen through it (score
# lost for a pixel where it is), and something new that is not skin is likely to be it (score won).
HIDDEN, LIKELY = 0.5, 0.25


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
def texture_planes(points, faces, uv, textured, fx, fy, cx, cy):  # type: ignore[no-untyped-def]
    """Return (F, 6) p: in the picture texture over depth is linear, s / z = p0 + p1 x + p2 y, t / z by the rest."""
    out = np.zeros((faces.shape[0], 6))
    for f in range(faces.shape[0]):
        a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
        if not textured[f] or min(points[a, 2], points[b, 2], points[c, 2]) <= NEAR:
            continue
        qa, qb, qc = 1.0 / points[a, 2], 1.0 / points[b, 2], 1.0 / points[c, 2]
        ua, va = fx * points[a, 0] * qa + cx, fy * points[a, 1] * qa + cy
        ub, vb = fx * points[b, 0] * qb + cx - ua, fy * points[b, 1] * qb + cy - va
        uc, vc = fx * points[c, 0] * qc + cx - ua, fy * points[c, 1] * qc + cy - va
        area = ub * vc - uc * vb
        if abs(area) < 1e-9:
            continue
        for k in range(2):
            at_a = uv[f, 0, k] * qa
            to_b, to_c = uv[f, 1, k] * qb - at_a, uv[f, 2, k] * qc - at_a
            dx, dy = (to_b * vc - to_c * vb) / area, (to_c * ub - to_b * uc) / area
            out[f, 3 * k] = at_a - dx * ua - dy * va
            out[f, 3 * k + 1] = dx
            out[f, 3 * k + 2] = dy
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
    x0, y0, x1, y1 = rasterise(
        points, faces, used, fx * ss, fy * ss, cx * ss + half, cy * ss + half, depth, face_id
    )
    if x1 <= x0:
        return rgb, cover, other, inverse_depth, groups
    mip = mip_of_faces(points, faces, uv, textured, mip_shape, fx * ss, fy * ss)
    planes = texture_planes(points, faces, uv, textured, fx * ss, fy * ss, cx * ss + half, cy * ss + half)
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
                z = 1.0 / q
                s = (planes[f, 0] + planes[f, 1] * X + planes[f, 2] * Y) * z
                t = (planes[f, 3] + planes[f, 4] * X + planes[f, 5] * Y) * z
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


@nb.njit(**FAST)
def fit_shades(picture, rgb, cover, group, free, n, plain, before):  # type: ignore[no-untyped-def]
    """Return (n, 4) gain, then offset of each channel, per group of faces, close to what was before (n, 4)."""
    out = before.copy()
    for g in range(n):
        for _rounds in range(2):
            sw, st, stt, si, sti = 1e-9, 0.0, 0.0, 0.0, 0.0
            for y in range(rgb.shape[0]):
                for x in range(rgb.shape[1]):
                    if group[y, x] != g or cover[y, x] < 0.99:
                        continue
                    e2 = 0.0
                    for k in range(3):
                        r = picture[y, x, k] - out[g, 0] * rgb[y, x, k] - out[g, 1 + k]
                        e2 += r * r
                    w = free[y, x] * (0.0225 / (0.0225 + e2)) ** 2
                    t, i = rgb[y, x, 0], picture[y, x, 0]
                    sw += w
                    st += w * t
                    stt += w * t * t
                    si += w * i
                    sti += w * t * i
            scale = 0.01 * 25.0
            a11, a12, a22 = stt / scale, st / scale, sw / scale
            b1, b2 = sti / scale, si / scale
            if plain:
                # no colour is known: whatever the group shows
                out[g, 0] = 1.0
                out[g, 1] = (si - st) / sw if sw > 4 else before[g, 1]
            else:
                a11 += 1.0 / 0.09
                b1 += 1.0 / 0.09
                a22 += 1.0 / 0.0225
                det = a11 * a22 - a12 * a12
                out[g, 0] = min(max((b1 * a22 - b2 * a12) / det, 0.3), 2.0)
                out[g, 1] = (b2 * a11 - b1 * a12) / det
            for k in range(1, 3):
                s, sw2 = 0.0, 1e-9
                for y in range(rgb.shape[0]):
                    for x in range(rgb.shape[1]):
                        if group[y, x] == g and cover[y, x] >= 0.99:
                            r = picture[y, x, k] - out[g, 0] * rgb[y, x, k]
                            d = r - out[g, 1 + k]
                            w = free[y, x] * (0.0225 / (0.0225 + d * d)) ** 2
                            s += w * r
                            sw2 += w
                if plain:
                    out[g, 1 + k] = s / sw2 if sw2 > 4 else before[g, 1 + k]
                else:
                    out[g, 1 + k] = (s / scale) / (sw2 / scale + 1.0 / 0.0025)
    return out


@nb.njit(**FAST)
def compose(scene, rgb, cover, group, shades, change_scale, plain):  # type: ignore[no-untyped-def]
    """Return (h, w, 4): the tool over the scene, and the change that it makes."""
    out = scene.copy()
    for y in range(rgb.shape[0]):
        for x in range(rgb.shape[1]):
            a = cover[y, x]
            if a <= 0:
                continue
            g = group[y, x]
            d2 = 0.0
            for k in range(3):
                value = shades[g, 0] * rgb[y, x, k] + shades[g, 1 + k]
                out[y, x, k] += a * (value - scene[y, x, k])
                d = out[y, x, k] - scene[y, x, k]
                d2 += d * d
            out[y, x, 3] = a if plain else 1.0 - np.exp(-d2 / (change_scale * change_scale))
    return out


@nb.njit(**FAST)
def residual_size(picture, drawn, weight):  # type: ignore[no-untyped-def]
    """Return (h, w) squared distance of two pictures (h, w, 4) under channel weights (4,)."""
    out = np.zeros(picture.shape[:2], np.float32)
    for y in range(picture.shape[0]):
        for x in range(picture.shape[1]):
            for k in range(4):
                r = picture[y, x, k] - drawn[y, x, k]
                out[y, x] += weight[k] * r * r
    return out


@nb.njit(**FAST)
def normal_equations(picture, drawn, free, q, e2, sigma2, channel, K, R, t, centre):  # type: ignore[no-untyped-def]
    """Return H (7, 7), b (7,) over rotation about `centre`, translation (both in view-1 axes), view offset.

    q (h, w) inverse depth where the tool is or nearly is, 0 elsewhere; R, t map view 1 to this view.
    """
    H = np.zeros((7, 7))
    b = np.zeros(7)
    A = np.zeros((2, 7))
    fx, fy, cx, cy = K[0], K[1], K[2], K[3]
    h, w = q.shape
    for y in range(1, h - 1):
        for x in range(1, w - 1):
            if q[y, x] <= 0 or free[y, x] <= 0.01:
                continue
            robust = sigma2 / (sigma2 + e2[y, x])
            weight = free[y, x] * robust * robust
            sxx, sxy, syy, rx, ry = 0.0, 0.0, 0.0, 0.0, 0.0
            for k in range(4):
                gx = 0.5 * (drawn[y, x + 1, k] - drawn[y, x - 1, k])
                gy = 0.5 * (drawn[y + 1, x, k] - drawn[y - 1, x, k])
                r = picture[y, x, k] - drawn[y, x, k]
                c = channel[k]
                sxx += c * gx * gx
                sxy += c * gx * gy
                syy += c * gy * gy
                rx += c * gx * r
                ry += c * gy * r
            if sxx + syy < 1e-7:
                continue
            z = 1.0 / q[y, x]
            X, Y = (x - cx) / fx * z, (y - cy) / fy * z
            a, d = fx / z, fy / z
            a2, d2 = -fx * X / (z * z), -fy * Y / (z * z)
            # point relative to the centre, in view-1 axes
            p0, p1, p2 = X - t[0], Y - t[1], z - t[2]
            m0 = R[0, 0] * p0 + R[1, 0] * p1 + R[2, 0] * p2 - centre[0]
            m1 = R[0, 1] * p0 + R[1, 1] * p1 + R[2, 1] * p2 - centre[1]
            m2 = R[0, 2] * p0 + R[1, 2] * p1 + R[2, 2] * p2 - centre[2]
            for j in range(3):
                A[0, 3 + j] = a * R[0, j] + a2 * R[2, j]
                A[1, 3 + j] = d * R[1, j] + d2 * R[2, j]
            for i in range(2):
                # d(omega x m): row . (omega x m) = omega . (m x row)
                u0, u1, u2 = A[i, 3], A[i, 4], A[i, 5]
                A[i, 0] = m1 * u2 - m2 * u1
                A[i, 1] = m2 * u0 - m0 * u2
                A[i, 2] = m0 * u1 - m1 * u0
            A[0, 6] = 1.0
            for i in range(7):
                wx = weight * (A[0, i] * sxx + A[1, i] * sxy)
                wy = weight * (A[0, i] * sxy + A[1, i] * syy)
                b[i] += weight * (A[0, i] * rx + A[1, i] * ry)
                for j in range(i, 7):
                    H[i, j] += wx * A[0, j] + wy * A[1, j]
    for i in range(7):
        for j in range(i):
            H[i, j] = H[j, i]
    return H, b


@nb.njit(**FAST)
def _agreement(seen, bare, open_, rgb, cover, other, group, groups, plain, dx, dy, x0, y0):  # type: ignore[no-untyped-def]
    """Return how much better the tool explains the pictures than the bare scene, rendered crop moved by dx, dy.

    Squares of differences, with the best single gain (textured) or the best colour of each group (plain).
    """
    H, W = seen.shape[:2]
    before, own, tt, ti, n, new, hidden = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    sums = np.zeros((groups, 4))
    for y in range(cover.shape[0]):
        Y = y + y0 + dy
        if Y < 0 or Y >= H:
            continue
        for x in range(cover.shape[1]):
            X = x + x0 + dx
            a = cover[y, x]
            if X < 0 or X >= W:
                continue
            hidden += other[y, x] * (1 - seen[Y, X, 3] - 0.5 * seen[Y, X, 3] * open_[Y, X])
            if a < 0.3:
                continue
            w = a * open_[Y, X]
            n += w
            new += w * seen[Y, X, 3]
            for k in range(3):
                i, b, c = seen[Y, X, k], bare[Y, X, k], rgb[y, x, k]
                before += w * (i - b) * (i - b)
                own += w * i * i
                tt += w * c * c
                ti += w * c * i
                if plain:
                    sums[group[y, x], k] += w * i
            if plain:
                sums[group[y, x], 3] += w
    if n < 1:
        return 0.0
    if plain:
        after = own
        for g in range(groups):
            for k in range(3):
                after -= sums[g, k] * sums[g, k] / (sums[g, 3] + 0.1)
        # where the tool is, something must be new: half of it at least
        return before - after + 0.05 * (2 * new - n - hidden)
    gain = min(max((ti + 0.05 * tt) / (1.05 * tt + 1e-9), 0.4), 1.6)
    return before - (own - 2 * gain * ti + gain * gain * tt) - 0.05 * hidden


@nb.njit(**FAST)
def score_poses(  # type: ignore[no-untyped-def]
    T, vertices, faces, colour, uv, textured, mips, mip_shape, group, used, groups, plain,
    picture, scene, free, fx, fy, cx, cy, reach,
):  # fmt: skip
    """Return (N, 3): the best score of poses T (N, 4, 4), view <- centre, moved up to `reach` px; and the move."""
    out = np.zeros((T.shape[0], 3))
    H, W = picture.shape[:2]
    points = np.empty_like(vertices)
    for n in range(T.shape[0]):
        x0, y0, x1, y1 = 1e9, 1e9, -1e9, -1e9
        behind = False
        for i in range(vertices.shape[0]):
            for j in range(3):
                points[i, j] = (
                    T[n, j, 0] * vertices[i, 0] + T[n, j, 1] * vertices[i, 1] + T[n, j, 2] * vertices[i, 2]
                ) + T[n, j, 3]
            if points[i, 2] < 0.05:
                behind = True
                break
            u = fx * points[i, 0] / points[i, 2] + cx
            v = fy * points[i, 1] / points[i, 2] + cy
            x0, x1, y0, y1 = min(x0, u), max(x1, u), min(y0, v), max(y1, v)
        left, top = int(np.floor(x0)), int(np.floor(y0))
        w, h = int(x1) + 2 - left, int(y1) + 2 - top
        if behind or left > W or top > H or left + w < 0 or top + h < 0 or w > 2 * W or h > 2 * H:
            continue
        rgb, cover, other, _q, drawn_group = draw(
            points, faces, colour, uv, textured, mips, mip_shape, group, used,
            fx, fy, cx - left, cy - top, h, w, 2,
        )  # fmt: skip
        best, bx, by = -1e9, 0, 0
        for dy in range(-reach, reach + 1, 2):
            for dx in range(-reach, reach + 1, 2):
                s = _agreement(
                    picture, scene, free, rgb, cover, other, drawn_group, groups, plain, dx, dy, left, top
                )
                if s > best:
                    best, bx, by = s, dx, dy
        mx, my = bx, by
        for dy in range(my - 1, my + 2):
            for dx in range(mx - 1, mx + 2):
                s = _agreement(
                    picture, scene, free, rgb, cover, other, drawn_group, groups, plain, dx, dy, left, top
                )
                if s > best:
                    best, bx, by = s, dx, dy
        out[n, 0], out[n, 1], out[n, 2] = best, bx, by
    return out


@nb.njit(**FAST)
def blur3(picture):  # type: ignore[no-untyped-def]
    """Return (h, w, C) blurred by 1 2 1 in x and y, borders repeated."""
    h, w, n = picture.shape
    across = np.empty_like(picture)
    out = np.empty_like(picture)
    for y in range(h):
        for x in range(w):
            for k in range(n):
                across[y, x, k] = 0.25 * (
                    picture[y, max(x - 1, 0), k] + 2 * picture[y, x, k] + picture[y, min(x + 1, w - 1), k]
                )
    for y in range(h):
        for x in range(w):
            for k in range(n):
                out[y, x, k] = 0.25 * (
                    across[max(y - 1, 0), x, k] + 2 * across[y, x, k] + across[min(y + 1, h - 1), x, k]
                )
    return out


@nb.njit(**FAST)
def turn(w):  # type: ignore[no-untyped-def]
    """Return the rotation (3, 3) of an axis-angle vector (3,) (Rodrigues)."""
    a = np.sqrt((w * w).sum())
    R = np.eye(3)
    if a > 1e-12:
        x, y, z = w / a
        c, s = np.cos(a), np.sin(a)
        R[0] = np.array([c + x * x * (1 - c), x * y * (1 - c) - z * s, x * z * (1 - c) + y * s])
        R[1] = np.array([y * x * (1 - c) + z * s, c + y * y * (1 - c), y * z * (1 - c) - x * s])
        R[2] = np.array([z * x * (1 - c) - y * s, z * y * (1 - c) + x * s, c + z * z * (1 - c)])
    return R


@nb.njit(**FAST)
def fit_many(  # type: ignore[no-untyped-def]
    poses, iterations, T_views, Ks, pictures, scenes, frees, change_scales, vertices, faces, colour, uv, textured,
    mips, mip_shape, group, used, groups, plain, channel, sigma2, reach,
):  # fmt: skip
    """Gauss-Newton from every pose (N, 4, 4), T_view1_centre; views stacked along axis 0 of their arrays.

    Returns the best poses seen (N, 4, 4) and their scores (N,) [px of the level].
    """
    out = poses.copy()
    scores = np.zeros(len(poses))
    H_, W_ = pictures.shape[1:3]
    start = np.zeros((groups, 4))
    start[:, 0] = 1.0
    for n in range(len(poses)):
        T = poses[n].copy()
        best = -1e30
        for i in range(iterations + 1):
            A, b, total = np.zeros((6, 6)), np.zeros(6), 0.0
            for v in range(len(T_views)):
                T_v = T_views[v] @ T
                points = vertices @ np.ascontiguousarray(T_v[:3, :3].T) + T_v[:3, 3]
                if points[:, 2].min() < 0.05:
                    continue
                fx, fy, cx, cy = Ks[v]
                x, y = fx * points[:, 0] / points[:, 2] + cx, fy * points[:, 1] / points[:, 2] + cy
                left, top = max(0, int(x.min()) - 2), max(0, int(y.min()) - 2)
                right, bottom = min(W_, int(x.max()) + 4), min(H_, int(y.max()) + 4)
                if right - left < 4 or bottom - top < 4:
                    continue
                rgb, cover, other, q, drawn_group = draw(
                    points, faces, colour, uv, textured, mips, mip_shape, group, used,
                    fx, fy, cx - left, cy - top, bottom - top, right - left, 2,
                )  # fmt: skip
                seen, bare = pictures[v, top:bottom, left:right], scenes[v, top:bottom, left:right]
                free = frees[v, top:bottom, left:right] * (1 - other)
                shades = fit_shades(seen, rgb, cover, drawn_group, free, groups, plain, start)
                drawn = blur3(compose(bare, rgb, cover, drawn_group, shades, change_scales[v], plain))
                both = np.empty((cover.shape[0], cover.shape[1], 2), np.float32)
                both[:, :, 0], both[:, :, 1] = q * cover, cover
                both = blur3(both)
                q = np.where(both[:, :, 1] > 0.05, both[:, :, 0] / np.maximum(both[:, :, 1], 1e-3), 0.0)
                e2 = residual_size(seen, drawn, channel)
                e2_bare = residual_size(seen, bare, channel)
                total += (free * (e2_bare / (e2_bare + sigma2) - e2 / (e2 + sigma2))).sum()
                skinless = frees[v, top:bottom, left:right]
                total += (other * (LIKELY * skinless * seen[:, :, 3] - HIDDEN * (1 - seen[:, :, 3]))).sum()
                k = np.array([fx, fy, cx - left, cy - top])
                Hv, bv = normal_equations(
                    seen, drawn, free, q, e2, sigma2, channel, k, T_views[v, :3, :3], T_views[v, :3, 3], T[:3, 3]
                )
                A += Hv[:6, :6]
                b += bv[:6]
            if total > best:
                best = total
                out[n] = T
                scores[n] = total
            if i == iterations or A[0, 0] <= 0:
                break
            scale = np.sqrt(np.maximum(np.diag(A), 1e-12))
            A = A / np.outer(scale, scale) + 0.003 * np.eye(6)
            step = -np.linalg.solve(A, b / scale) / scale
            size = max(np.sqrt((step[:3] ** 2).sum()) / 0.35, np.sqrt((step[3:] ** 2).sum()) / reach)
            step = step / max(size, 1.0)
            T[:3, :3] = turn(step[:3]) @ np.ascontiguousarray(T[:3, :3])
            T[:3, 3] += step[3:]
    return out, scores
