"""How a person shows a task: smooth tool motions that enter from the near edge, and the objects they move."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from scipy.interpolate import PchipInterpolator
from scipy.ndimage import gaussian_filter1d

from hardware.geometry import Array, apply, inverse, rotation_from_vector, transform
from hardware.world.objects import Thing

# maps a time [s] to T_world_body (4, 4)
Path = Callable[[float], Array]
TICK = 1 / 240
SMOOTHING = 0.045  # [s] rounds the corners of key-framed motion as a person's hand does
SQUEEZE = 0.008  # [m] the box below the plate is about 6 mm smaller than the plate, and a hand presses a little
PLATE_NOSE = (0.032, 0.038, 0.048)  # centre and half axes of the rotation gripper's rounded end [m]


@dataclass(frozen=True, eq=False)
class Shown:
    """A demonstration. tools: role -> name of the built-in tool; paths by body name: roles, "thing", "thing/0".."""

    tools: Mapping[str, str]
    thing: Thing
    paths: Mapping[str, Path]


def smooth_path(times: Array, keys: Array) -> Path:
    """Path through key poses (K, 6) = x y z [m], yaw pitch roll [rad], at rising times (K,) [s]."""
    t = np.arange(times[0] - 0.5, times[-1] + 0.5, TICK)
    dense = PchipInterpolator(times, keys, axis=0)(np.clip(t, times[0], times[-1]))
    dense = gaussian_filter1d(dense, SMOOTHING / TICK, axis=0, mode="nearest")

    def at(time: float) -> Array:
        x, y, z, yaw, pitch, roll = (float(np.interp(time, t, dense[:, k])) for k in range(6))
        R = rotation_from_vector(np.array([[0, 0, yaw], [0, pitch, 0], [roll, 0, 0]]))
        return transform(R[0] @ R[1] @ R[2], [x, y, z])

    return at


def planar_path(times: Array, keys: Array) -> Path:
    """Path of something flat on the table through (K, 3) = x y [m], yaw [rad]."""
    full = np.zeros((len(times), 6))
    full[:, [0, 1, 3]] = keys
    return smooth_path(times, full)


def show_rotation(thing: Thing, rng: np.random.Generator, duration: float, *, calm: bool = False) -> Shown:
    """Two hands bring a gripper each to the object's sides and turn it between the rounded ends.

    calm: within what two arms at the simulated rig can follow: turns of at most 32 degrees, small tilts, and no
    tool in view (frame 3 of 13 on) before it is over the arms' own part of the table.
    """
    turn = np.radians(rng.uniform(18, 32) if calm else rng.uniform(18, 48)) * rng.choice([-1, 1])
    axis = np.radians(rng.uniform(-14, 14)) - turn / 2
    grasp = rng.choice(np.arange(4)) * np.pi / 2  # which of the object's own sides are taken
    start = np.array([rng.uniform(-0.05, 0.05), rng.uniform(-0.02, 0.09)])
    drift = rng.uniform(-0.03, 0.03, 2)
    contact, ready, enter = duration * rng.uniform(0.44, 0.52), duration * 0.36, duration * rng.uniform(0.02, 0.09)
    steps = np.linspace(0, 1, 7)
    ease = steps * steps * (3 - 2 * steps)
    turned = contact + 0.04 * duration + (0.94 * duration - contact) * steps
    middle, angle = start + ease[:, None] * drift, axis + ease * turn
    object_keys = np.column_stack([middle, angle - grasp])
    paths: dict[str, Path] = {
        "thing": planar_path(np.concatenate([[0.0], turned]), np.concatenate([object_keys[:1], object_keys]))
    }
    tilt = 0.05 if calm else 0.11
    for role, sign in (("left", 1.0), ("right", -1.0)):
        height = rng.uniform(0.073, 0.083)  # the box's underside 11 to 21 mm over the table
        lag = rng.uniform(0.1, 0.7)  # the wrist turns less than the object, which rolls on the round end
        own = np.array([np.cos(grasp), np.sin(grasp)])
        reach = thing.support(-sign * own)
        keys = [nose_at(m, a, sign, reach - SQUEEZE, lag * (a - axis), height, rng, tilt)
                for m, a in zip(middle, angle, strict=True)]  # fmt: skip
        near = keys[0] + np.array([*(-sign * 0.035 * np.array([np.cos(axis), np.sin(axis)])), 0.012, 0, 0, 0])
        swing = rng.normal(0, tilt, (2, 3))
        above = near + np.array([-sign * rng.uniform(0.0, 0.04), rng.uniform(-0.14, -0.08), 0.03, *swing[0]])
        outside = np.array([-sign * rng.uniform(0.17, 0.24), -0.52, height + 0.06, above[3], *swing[1][:2]])
        late = rng.uniform(0, 0.03) * duration
        times = np.concatenate([[0, enter + late, ready * 0.75 + late, ready + late, contact], turned])
        if calm:
            outside[1], above[1] = -0.43, max(above[1], -0.16)
            times[1], times[2] = duration * 2 / 12, duration * 2.9 / 12
        paths[role] = smooth_path(times, np.stack([outside, outside, above, near, keys[0], *keys]))
    return Shown({"left": "rotation_gripper_left", "right": "rotation_gripper_right"}, thing, paths)


def nose_at(
    middle: Array, angle: float, sign: float, reach: float, turned: float, height: float,
    rng: np.random.Generator, tilt: float,
) -> Array:  # fmt: skip
    """Key pose whose rounded end touches the point `reach` from the object's middle along -sign * axis."""
    u = np.array([np.cos(angle), np.sin(angle)])
    touch = middle - sign * reach * u
    yaw = angle - turned + rng.normal(0, tilt / 6)
    yaw = angle + np.clip(yaw - angle, -0.5, 0.5)
    offset = angle - yaw
    centre, a, b = PLATE_NOSE
    length = np.hypot(a * np.cos(offset), b * np.sin(offset))
    nose = np.array([centre + a * a * np.cos(offset) / length, b * b * np.sin(offset) / length])
    c, s = np.cos(yaw), np.sin(yaw)
    place = touch - sign * np.array([c * nose[0] - s * nose[1], s * nose[0] + c * nose[1]])
    heading = yaw if sign > 0 else yaw + np.pi
    return np.array([*place, height, heading, *rng.normal(0, tilt / 5, 2)])


def show_push(thing: Thing, rng: np.random.Generator, duration: float) -> Shown:
    """One hand pushes the object with the flat head over 6 to 16 cm, and turns it a little."""
    heading = np.pi / 2 + rng.uniform(-0.6, 0.6)
    start, turn = np.array([rng.uniform(-0.1, 0.1), rng.uniform(-0.08, 0.04)]), rng.uniform(-0.35, 0.35)
    way = rng.uniform(0.06, 0.16)
    yaw = rng.uniform(-np.pi, np.pi)
    contact, enter = duration * rng.uniform(0.42, 0.5), duration * rng.uniform(0.02, 0.09)
    u = np.array([np.cos(heading), np.sin(heading)])
    own = np.array([np.cos(heading - yaw), np.sin(heading - yaw)])
    gap = thing.support(-own) + 0.0245
    s = np.linspace(0, 1, 6)
    ease = s * s * (3 - 2 * s)
    pushed = contact + 0.03 * duration + (0.93 * duration - contact) * s
    middle = start + np.outer(ease * way, u)
    object_keys = np.column_stack([middle, yaw + ease * turn])
    height = 0.036 + rng.uniform(0.004, 0.012)
    keys = np.zeros((6, 6))
    keys[:, :2], keys[:, 2], keys[:, 3] = middle - gap * u, height, heading + ease * turn
    keys[:, 4:] = rng.normal(0, 0.02, (6, 2))
    times, full = _entered(keys, u, height, enter, contact, pushed, rng)
    paths = {
        "tool": smooth_path(times, full),
        "thing": planar_path(np.concatenate([[0.0], pushed]), np.concatenate([object_keys[:1], object_keys])),
    }
    return Shown({"tool": "pusher"}, thing, paths)


def _entered(
    keys: Array, u: Array, height: float, enter: float, contact: float, worked: Array, rng: np.random.Generator
) -> tuple[Array, Array]:
    """Put entry and approach before the working keys (K, 6)."""
    near = keys[0].copy()
    near[:2] -= 0.03 * u
    near[2] += 0.015
    above = near + np.array([*(-0.1 * u), rng.uniform(0.03, 0.08), *rng.normal(0, 0.12, 3)])
    outside = np.array([rng.uniform(-0.1, 0.1), -0.6, height + 0.12, above[3], 0.1, 0.0])
    times = np.concatenate([[0.0, enter, enter + 0.5 * (contact - enter), contact - 0.05, contact], worked])
    return times, np.concatenate([[outside, outside, above, near, keys[0]], keys])


def show_sweep(thing: Thing, rng: np.random.Generator, duration: float) -> Shown:
    """One hand brushes loose beans onto the red patch; a bean goes with the bristles that have reached it."""
    heading = np.pi / 2 + rng.uniform(-0.5, 0.5)
    u = np.array([np.cos(heading), np.sin(heading)])
    target = np.array([rng.uniform(-0.1, 0.1), rng.uniform(0.06, 0.14)])
    way = rng.uniform(0.12, 0.18)
    start = target - way * u
    contact, enter = duration * rng.uniform(0.4, 0.48), duration * rng.uniform(0.02, 0.09)
    s = np.linspace(0, 1, 6)
    worked = contact + 0.02 * duration + (0.94 * duration - contact) * s
    front = start - 0.06 * u + np.outer(s * s * (3 - 2 * s) * (way + 0.04), u)
    height = 0.044 + 0.003
    keys = np.zeros((6, 6))
    keys[:, :2], keys[:, 2], keys[:, 3] = front - 0.018 * u, height + 0.004 * rng.random(6), heading
    keys[:, 4:] = rng.normal(0, 0.03, (6, 2))
    times, full = _entered(keys, u, height, enter, contact, worked, rng)
    brush = smooth_path(times, full)
    lying = transform(np.eye(3), [*target, 0.0])
    paths: dict[str, Path] = {"tool": brush, "thing": lambda _: lying}
    heap = transform(rotation_from_vector(np.array([0, 0, heading])), [*start, 0.0])
    for k, place in enumerate(thing.particles):
        paths[f"thing/{k}"] = _swept(brush, apply(heap, place[None])[0], u, float(rng.uniform(0.0, 0.03)))
    return Shown({"tool": "brush"}, thing, paths)


def _swept(brush: Path, place: Array, u: Array, ahead: float) -> Path:
    def at(time: float) -> Array:
        front = float(brush(time)[:2, 3] @ u) + 0.024
        low = brush(time)[2, 3] < 0.06
        moved = max(0.0, front + ahead * 0.5 - float(place[:2] @ u)) if low else 0.0
        return transform(rotation_from_vector(np.array([0, 0, 9.0 * moved])), [*(place[:2] + moved * u), place[2]])

    return at


def show_scoop(thing: Thing, rng: np.random.Generator, duration: float) -> Shown:
    """One hand dips the scooper into the bowl and lifts it out; some beans come along."""
    heading = np.pi / 2 + rng.uniform(-0.4, 0.4)
    u = np.array([np.cos(heading), np.sin(heading)])
    bowl = np.array([rng.uniform(-0.1, 0.1), rng.uniform(0.0, 0.1)])
    enter, dip, out = duration * 0.06, duration * rng.uniform(0.48, 0.56), duration * 0.74
    back = 0.116  # from the handle's middle to the bowl of the scooper
    keys = np.array([
        [rng.uniform(-0.1, 0.1), -0.72, 0.2, heading, 0.0, 0.0],
        [rng.uniform(-0.1, 0.1), -0.72, 0.2, heading, 0.0, 0.0],
        [*(bowl - (back + 0.05) * u), 0.15, heading, 0.2, 0.0],
        [*(bowl - (back - 0.0) * u), 0.085, heading, 0.3, rng.normal(0, 0.05)],
        [*(bowl - (back - 0.012) * u), 0.08, heading, 0.12, rng.normal(0, 0.05)],
        [*(bowl - back * u), 0.15, heading, -0.05, 0.0],
        [*(bowl - (back + 0.03) * u + rng.uniform(-0.06, 0.06, 2)), 0.15, heading + rng.normal(0, 0.15), 0.0, 0.0],
    ])  # fmt: skip
    times = np.array([0.0, enter, enter + 0.6 * (dip - enter), dip, dip + 0.08 * duration, out, 0.96 * duration])
    tool = smooth_path(times, keys)
    lying = transform(np.eye(3), [*bowl, 0.0])
    paths: dict[str, Path] = {"tool": tool, "thing": lambda _: lying}
    taken = dip + 0.1 * duration
    for k, place in enumerate(thing.particles):
        rest = transform(np.eye(3), apply(lying, place[None])[0])
        spot = np.array([0.116, 0, -0.028]) + rng.uniform([-0.018, -0.018, 0], [0.018, 0.018, 0.006])
        paths[f"thing/{k}"] = _carried(tool, rest, transform(np.eye(3), spot), taken) if k < 9 else _lying(rest)
    return Shown({"tool": "scooper"}, thing, paths)


def _lying(T: Array) -> Path:
    return lambda _: T


def _carried(tool: Path, rest: Array, T_tool_bean: Array, taken: float) -> Path:
    def at(time: float) -> Array:
        return rest if time < taken else tool(time) @ T_tool_bean

    return at


def relative(T_world_a: Array, T_world_b: Array) -> Array:
    """T_a_b of two poses in the world."""
    return inverse(T_world_a) @ T_world_b


SHOW: Mapping[str, Callable[[Thing, np.random.Generator, float], Shown]] = {
    "rotation": show_rotation,
    "push": show_push,
    "sweep": show_sweep,
    "scoop": show_scoop,
}
