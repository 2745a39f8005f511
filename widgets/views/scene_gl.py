"""Draws the 3-D scene into a picture: four small OpenGL programs, one for each kind of thing.

Vertices are moved and lit on the CPU, by numpy: on software OpenGL that is a third of what shaders take for it.
"""

from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from vispy import app, gloo

from hardware.geometry import Array
from hardware.types import Image
from widgets.views.gl_context import why_not

_SOLID_VERTEX = """
#version 120
uniform mat4 u_clip_world;
attribute vec3 a_position;
attribute vec4 a_color;
varying vec4 v_color;
void main() { gl_Position = u_clip_world * vec4(a_position, 1.0); v_color = a_color; }
"""
_SOLID_FRAGMENT = """
#version 120
varying vec4 v_color;
void main() { gl_FragColor = v_color; }
"""
_LINE_VERTEX = """
#version 120
uniform mat4 u_clip_world;
uniform vec2 u_size;
attribute vec3 a_start;
attribute vec3 a_end;
attribute vec2 a_corner;  // x: 0 at the start, 1 at the end; y: -1 or 1 across
attribute vec4 a_color;
attribute float a_width;
varying vec4 v_color;
varying float v_across;
varying float v_half;
void main() {
    vec4 p = u_clip_world * vec4(a_start, 1.0);
    vec4 q = u_clip_world * vec4(a_end, 1.0);
    // an end behind the eye would turn the line round: pull it to just before the eye
    if (p.w < 0.02) p = mix(p, q, (0.02 - p.w) / max(q.w - p.w, 1e-6));
    if (q.w < 0.02) q = mix(q, p, (0.02 - q.w) / max(p.w - q.w, 1e-6));
    vec2 along = (q.xy / q.w - p.xy / p.w) * u_size;
    vec2 across = vec2(-along.y, along.x) / max(length(along), 1e-6);
    float half_width = 0.5 * a_width + 0.75;
    vec4 here = mix(p, q, a_corner.x);
    gl_Position = here + vec4(2.0 * across * a_corner.y * half_width / u_size * here.w, -1e-4 * here.w, 0.0);
    v_color = a_color;
    v_across = a_corner.y * half_width;
    v_half = half_width;
}
"""
_LINE_FRAGMENT = """
#version 120
varying vec4 v_color;
varying float v_across;
varying float v_half;
void main() {
    gl_FragColor = vec4(v_color.rgb, v_color.a * clamp(v_half - abs(v_across), 0.0, 1.0));
}
"""
_PICTURE_VERTEX = """
#version 120
uniform mat4 u_clip_world;
attribute vec3 a_position;
attribute vec2 a_uv;
varying vec2 v_uv;
void main() { gl_Position = u_clip_world * vec4(a_position, 1.0); v_uv = a_uv; }
"""
_PICTURE_FRAGMENT = """
#version 120
uniform sampler2D u_picture;
varying vec2 v_uv;
void main() { gl_FragColor = vec4(texture2D(u_picture, v_uv).rgb, 0.94); }
"""
_DOT_VERTEX = """
#version 120
uniform mat4 u_clip_world;
attribute vec3 a_position;
attribute vec4 a_color;
attribute float a_size;
varying vec4 v_color;
void main() {
    gl_Position = u_clip_world * vec4(a_position, 1.0);
    gl_PointSize = a_size;
    v_color = a_color;
}
"""
_DOT_FRAGMENT = """
#version 120
varying vec4 v_color;
void main() {
    float r = 2.0 * length(gl_PointCoord - 0.5);
    if (r > 1.0) discard;
    gl_FragColor = vec4(mix(v_color.rgb, vec3(0.04), smoothstep(0.68, 0.8, r)), v_color.a);
}
"""


@dataclass(frozen=True, eq=False)
class Solids:
    """Flat-shaded triangles in world: triangles (N, 3, 3) [m], color (N, 4) with the light already in it."""

    triangles: Array
    color: Array


@dataclass(frozen=True, eq=False)
class Segments:
    """Lines: start, end (N, 3) [m] in world, color (N, 4), width (N,) in points."""

    start: Array
    end: Array
    color: Array
    width: Array


@dataclass(frozen=True, eq=False)
class Dots:
    """Round markers that nothing hides: position (N, 3), color (N, 4), size (N,) in points."""

    position: Array
    color: Array
    size: Array


class SceneRenderer:
    """An off-screen picture of solids, lines, camera pictures and markers.

    Raises RuntimeError with the reason where the machine has no off-screen OpenGL. Use it from the main thread.
    """

    def __init__(self) -> None:
        if why_not():
            raise RuntimeError(why_not())
        self._canvas = app.Canvas(app="egl", size=(16, 16), show=False, autoswap=False)
        self._canvas.set_current()
        self._opaque = gloo.Program(_SOLID_VERTEX, _SOLID_FRAGMENT)
        self._ghosts = gloo.Program(_SOLID_VERTEX, _SOLID_FRAGMENT)
        self._lines = gloo.Program(_LINE_VERTEX, _LINE_FRAGMENT)
        self._moving = gloo.Program(_LINE_VERTEX, _LINE_FRAGMENT)
        self._dots = gloo.Program(_DOT_VERTEX, _DOT_FRAGMENT)
        self._pictures: dict[str, gloo.Program] = {}
        self._hung: set[str] = set()  # the screens that have a picture
        self._counts: dict[int, int] = {}
        self._indices: dict[int, gloo.IndexBuffer] = {}
        self._fbo: gloo.FrameBuffer | None = None

    def activate(self) -> None:
        """Make this the context that uploads and draws go to."""
        self._canvas.set_current()

    def close(self) -> None:
        """Give the drawing surface back."""
        # at exit the display may be gone before the view, and the surface with it
        with suppress(RuntimeError):
            self._canvas.close()

    def set_solids(self, opaque: Solids, ghosts: Solids) -> None:
        """Upload the solids; ghosts nearest first, so that only their nearest skin is blended."""
        for program, solids in ((self._opaque, opaque), (self._ghosts, ghosts)):
            self._counts[id(program)] = 3 * len(solids.triangles)
            if len(solids.triangles):
                program["a_position"] = _floats(solids.triangles.reshape(-1, 3))
                program["a_color"] = _floats(solids.color.repeat(3, axis=0))

    def set_lines(self, segments: Segments, moving: bool = False) -> None:
        """Upload lines; the moving ones are those that change with every moment."""
        program, n = self._moving if moving else self._lines, len(segments.start)
        self._counts[id(program)] = n
        if not n:
            return
        program["a_start"] = _floats(segments.start.repeat(4, axis=0))
        program["a_end"] = _floats(segments.end.repeat(4, axis=0))
        program["a_color"] = _floats(segments.color.repeat(4, axis=0))
        program["a_width"] = _floats(segments.width.repeat(4))
        program["a_corner"] = _floats(np.tile([[0, -1], [0, 1], [1, -1], [1, 1]], (n, 1)))
        quads = np.arange(n)[:, None] * 4 + np.array([0, 1, 2, 2, 1, 3])
        self._indices[id(program)] = gloo.IndexBuffer(quads.ravel().astype(np.uint32))

    def set_dots(self, dots: Dots) -> None:
        """Upload markers."""
        self._counts[id(self._dots)] = len(dots.position)
        if len(dots.position):
            self._dots["a_position"] = _floats(dots.position)
            self._dots["a_color"] = _floats(dots.color)
            self._dots["a_size"] = _floats(dots.size)

    def set_screens(self, corners: Mapping[str, Array]) -> None:
        """Say where camera pictures hang: corners (4, 3) by camera, two at the top, two below, left first."""
        self._pictures, self._hung = {}, set()
        for name, quad in corners.items():
            program = gloo.Program(_PICTURE_VERTEX, _PICTURE_FRAGMENT)
            program["a_position"] = _floats(quad)
            program["a_uv"] = _floats(np.array([[0, 0], [1, 0], [0, 1], [1, 1]]))
            program["u_picture"] = gloo.Texture2D(np.zeros((2, 2, 3), np.uint8), interpolation="linear")
            self._pictures[name] = program

    def set_picture(self, name: str, rgb: Image) -> None:
        """Hang a picture (H, W, 3) on a camera's screen."""
        if name in self._pictures:
            self._pictures[name]["u_picture"].set_data(np.ascontiguousarray(rgb))
            self._hung.add(name)

    def keep_pictures(self, names: Collection[str]) -> None:
        """Take the pictures of all other cameras down."""
        self._hung &= set(names)

    def render(self, clip_from_world: Array, size: tuple[int, int], points: float, ground: Array) -> Image:
        """Return the picture (H, W, 4) RGBA of size (width, height) [px]; points: pixels a point; ground (4,)."""
        self._canvas.set_current()
        self._aim(clip_from_world, (size[0] / points, size[1] / points))
        fbo = self._buffer(size)
        with fbo:
            gloo.set_viewport(0, 0, *size)
            gloo.set_state(depth_test=True, blend=True, blend_func=("src_alpha", "one_minus_src_alpha"))
            gloo.set_depth_func("lequal")
            gloo.clear(color=tuple(ground), depth=True)
            self._draw_all()
            return np.ascontiguousarray(fbo.read("color", alpha=True))

    def _aim(self, clip_from_world: Array, size: tuple[float, float]) -> None:
        matrix = clip_from_world.T.astype(np.float32)
        for program in (
            self._opaque,
            self._ghosts,
            self._lines,
            self._moving,
            self._dots,
            *self._pictures.values(),
        ):
            program["u_clip_world"] = matrix
        for program in (self._lines, self._moving):
            program["u_size"] = np.array(size, np.float32)

    def _buffer(self, size: tuple[int, int]) -> gloo.FrameBuffer:
        shape = (size[1], size[0])
        if self._fbo is None:
            self._fbo = gloo.FrameBuffer(gloo.RenderBuffer(shape), gloo.RenderBuffer(shape))
        elif self._fbo.color_buffer.shape[:2] != shape:
            self._fbo.resize(shape)
        return self._fbo

    def _draw_all(self) -> None:
        self._draw(self._opaque)
        for name in self._hung:
            self._pictures[name].draw("triangle_strip")
        for program in (self._lines, self._moving):
            if self._counts.get(id(program)):
                gloo.set_depth_mask(False)
                program.draw("triangles", self._indices[id(program)])
                gloo.set_depth_mask(True)
        # a little further back: where a ghost and the arm agree the arm is seen, so that blue means a difference
        gloo.set_state(cull_face=True, polygon_offset_fill=True, polygon_offset=(2.0, 8.0))
        self._draw(self._ghosts)
        gloo.set_state(cull_face=False, polygon_offset_fill=False)
        gloo.set_state(depth_test=False)
        if self._counts.get(id(self._dots)):
            self._dots.draw("points")

    def _draw(self, program: gloo.Program) -> None:
        if self._counts.get(id(program)):
            program.draw("triangles")


def _floats(values: NDArray[np.generic]) -> NDArray[np.float32]:
    return np.ascontiguousarray(values, np.float32)
