"""A gamepad through SDL: sticks and buttons, read when asked, in the caller's thread.

SDL knows the layout of several hundred pads and gives them all the same names (its game controller database).
One pad is used: the first that is there. One that is unplugged is dropped, and the next that comes is taken.
"""

import importlib
import os
import warnings
from dataclasses import dataclass
from types import ModuleType
from typing import Any

_BUTTONS = ("a", "b", "x", "y", "back", "guide", "start", "left_stick", "right_stick",
            "left_shoulder", "right_shoulder", "up", "down", "left", "right")  # fmt: skip
_FULL = 32767.0
DEAD_ZONE = 0.12
"""Share of a stick's way that counts as still: sticks that rest are up to a tenth off."""


class GamepadError(RuntimeError):
    """SDL is missing or will not start; the message says what to do."""


@dataclass(frozen=True)
class GamepadState:
    """One reading. left, right (x, y) -1..1 with y up and the dead zone taken out; triggers (left, right) 0..1;
    buttons: the names of those held, as SDL calls them."""

    name: str
    left: tuple[float, float]
    right: tuple[float, float]
    triggers: tuple[float, float]
    buttons: frozenset[str]


def without_dead_zone(x: float, y: float, zone: float = DEAD_ZONE) -> tuple[float, float]:
    """Return a stick's place (x, y) -1..1 with its rest moved to 0, and the way beyond stretched to reach 1."""
    way = (x * x + y * y) ** 0.5
    if way <= zone:
        return 0.0, 0.0
    share = min((way - zone) / (1.0 - zone), 1.0) / way
    return x * share, y * share


class Gamepad:
    """`open` starts SDL's part, `read` returns the pad's state or None while there is none, `close` ends it."""

    def __init__(self) -> None:
        self._sdl: ModuleType | None = None
        self._pad: Any = None

    def open(self) -> None:
        """Start SDL. Raises GamepadError where it is not installed or refuses."""
        sdl = _load()
        # a pad jogs only while this program's window has the focus: the window sees to that, not SDL
        sdl.SDL_SetHint(sdl.SDL_HINT_JOYSTICK_ALLOW_BACKGROUND_EVENTS, b"1")
        sdl.SDL_SetHint(sdl.SDL_HINT_NO_SIGNAL_HANDLERS, b"1")
        if sdl.SDL_InitSubSystem(sdl.SDL_INIT_GAMECONTROLLER) != 0:
            raise GamepadError(f"gamepad: SDL does not start: {sdl.SDL_GetError().decode()}")
        # states are read, events would only fill a queue that nobody empties
        sdl.SDL_GameControllerEventState(sdl.SDL_IGNORE)
        sdl.SDL_JoystickEventState(sdl.SDL_IGNORE)
        self._sdl = sdl

    def read(self) -> GamepadState | None:
        """Return what is held now; None without a pad. Takes some microseconds. Raises GamepadError before open."""
        sdl = self._sdl
        if sdl is None:
            raise GamepadError("gamepad: open it before it is read")
        sdl.SDL_GameControllerUpdate()
        if self._pad is not None and not sdl.SDL_GameControllerGetAttached(self._pad):
            self._let_go(sdl)
        if self._pad is None:
            self._pad = _first(sdl)
        return None if self._pad is None else _state(sdl, self._pad)

    def close(self) -> None:
        """End SDL's part; safe to call twice."""
        if self._sdl is None:
            return
        self._let_go(self._sdl)
        self._sdl.SDL_QuitSubSystem(self._sdl.SDL_INIT_GAMECONTROLLER)
        self._sdl = None

    def _let_go(self, sdl: ModuleType) -> None:
        if self._pad is not None:
            sdl.SDL_GameControllerClose(self._pad)
            self._pad = None


def _load() -> ModuleType:
    # a sound or video driver is not wanted, and must not be looked for
    os.environ.setdefault("SDL_VIDEODRIVER", "dummy")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # it tells which SDL it found
            return importlib.import_module("sdl2")
    except ImportError as error:
        raise GamepadError("gamepad: SDL is not installed; pip install 'dreamdeck[gamepad]'") from error


def _first(sdl: ModuleType) -> Any:
    for index in range(sdl.SDL_NumJoysticks()):
        if sdl.SDL_IsGameController(index) and (pad := sdl.SDL_GameControllerOpen(index)):
            return pad
    return None


def _state(sdl: ModuleType, pad: Any) -> GamepadState:
    def axis(name: str) -> float:
        value = sdl.SDL_GameControllerGetAxis(pad, getattr(sdl, f"SDL_CONTROLLER_AXIS_{name}"))
        return max(float(value) / _FULL, -1.0)

    return GamepadState(
        name=(sdl.SDL_GameControllerName(pad) or b"gamepad").decode(errors="replace"),
        left=without_dead_zone(axis("LEFTX"), -axis("LEFTY")),
        right=without_dead_zone(axis("RIGHTX"), -axis("RIGHTY")),
        triggers=(max(axis("TRIGGERLEFT"), 0.0), max(axis("TRIGGERRIGHT"), 0.0)),
        buttons=frozenset(b for i, b in enumerate(_BUTTONS) if sdl.SDL_GameControllerGetButton(pad, i)),
    )
