"""An OpenGL context without a window: EGL, on the GPU where there is one, else in Mesa's software."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

# None lets EGL choose; "surfaceless" is Mesa without any display server, on its render node or in software
_PLATFORMS = (None, "surfaceless")


@contextmanager
def _environment(**values: str | None) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    _set(values)
    try:
        yield
    finally:
        _set(before)


def _set(values: dict[str, str | None]) -> None:
    for name, value in values.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


@cache
def why_not() -> str:
    """Return why there is no off-screen OpenGL on this machine, "" where there is. Looked at once."""
    reasons = []
    for platform in _PLATFORMS:
        wanted = platform or os.environ.get("EGL_PLATFORM")
        with _environment(EGL_PLATFORM=wanted, DISPLAY=None):
            try:
                from vispy.ext import egl

                egl.eglInitialize(egl.eglGetDisplay())
                # the backend opens its display when it is imported, so that must happen in this environment
                from vispy.app.backends import _egl

                if _egl.available:
                    return ""
                reasons.append(str(_egl.why_not))
            except (OSError, RuntimeError) as error:
                reasons.append(str(error))
    return "; ".join(dict.fromkeys(reasons)) or "EGL is not available"
