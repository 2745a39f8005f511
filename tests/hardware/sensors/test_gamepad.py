"""The gamepad, with SDL's own virtual pad in place of plastic."""

from collections.abc import Iterator

import pytest
import sdl2
from hypothesis import given
from hypothesis import strategies as st

from hardware.sensors.gamepad import DEAD_ZONE, Gamepad, GamepadError, without_dead_zone

AXES, BUTTONS = 6, 15


class VirtualPad:
    """A pad that exists in SDL alone: plug it in, push its sticks, pull it out."""

    def __init__(self) -> None:
        self.index = sdl2.SDL_JoystickAttachVirtual(sdl2.SDL_JOYSTICK_TYPE_GAMECONTROLLER, AXES, BUTTONS, 0)
        self.joystick = sdl2.SDL_JoystickOpen(self.index)
        for trigger in (4, 5):  # SDL's triggers rest at their lower end
            self.push(trigger, -1.0)

    def push(self, axis: int, value: float) -> None:
        sdl2.SDL_JoystickSetVirtualAxis(self.joystick, axis, round(value * 32767))

    def press(self, button: int, down: bool = True) -> None:
        sdl2.SDL_JoystickSetVirtualButton(self.joystick, button, int(down))

    def pull_out(self) -> None:
        sdl2.SDL_JoystickClose(self.joystick)
        sdl2.SDL_JoystickDetachVirtual(self.index)


@pytest.fixture
def gamepad() -> Iterator[Gamepad]:
    made = Gamepad()
    made.open()
    yield made
    made.close()


def test_without_a_pad_there_is_nothing_to_read(gamepad: Gamepad) -> None:
    assert gamepad.read() is None


def test_what_is_pushed_and_pressed_is_read(gamepad: Gamepad) -> None:
    pad = VirtualPad()
    pad.push(0, 1.0)  # left stick to the right
    pad.push(1, -1.0)  # and up: SDL counts down as positive
    pad.press(9)  # left shoulder
    state = gamepad.read()
    pad.pull_out()
    assert state is not None
    assert state.left == pytest.approx((2**-0.5, 2**-0.5), abs=1e-3)
    assert state.right == (0.0, 0.0)
    assert state.triggers == (0.0, 0.0)
    assert state.buttons == {"left_shoulder"}
    assert state.name


def test_a_pad_that_is_pulled_out_is_gone_at_once_and_the_next_one_is_taken(gamepad: Gamepad) -> None:
    pad = VirtualPad()
    assert gamepad.read() is not None
    pad.pull_out()
    assert gamepad.read() is None
    other = VirtualPad()
    assert gamepad.read() is not None
    other.pull_out()


def test_reading_before_opening_says_so() -> None:
    with pytest.raises(GamepadError, match="open it"):
        Gamepad().read()


@given(st.floats(-1, 1), st.floats(-1, 1))
def test_a_stick_at_rest_is_still_and_a_pushed_one_goes_where_it_points(x: float, y: float) -> None:
    a, b = without_dead_zone(x, y)
    way = (x * x + y * y) ** 0.5
    if way <= DEAD_ZONE:
        assert (a, b) == (0.0, 0.0)
    else:
        assert 0 <= (a * a + b * b) ** 0.5 <= 1 + 1e-9
        assert abs(a * y - b * x) < 1e-9  # same direction
