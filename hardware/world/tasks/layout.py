"""What a task lays on the table, what is so at a moment, and what a rule says of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from hardware.geometry import Array, rotation_from_vector, transform
from hardware.world.objects import Thing


@dataclass(frozen=True)
class Light:
    """Factors on the lamp and on the window's light, and how far the lamp is turned about the vertical [rad]."""

    lamp: float = 1.0
    window: float = 1.0
    turn: float = 0.0


@dataclass(frozen=True, eq=False)
class Layout:
    """One table of a task.

    things by body name, all free; T_world_thing: where each starts, particles as "body/0" ..; marks: drawn flat on
    the table, touched by nothing, with T_world_mark; tools: role -> built-in tool, or "gripper"; T_world_goal:
    where
    the object "thing" is to go, None where the task has no such pose; friction: between things and table (None: the
    scene's own); clip_s, fps: how a clip of the task is sampled.
    """

    task: str
    seed: int
    held_out: bool
    instruction: str
    things: Mapping[str, Thing]
    T_world_thing: Mapping[str, Array]
    tools: Mapping[str, str]
    clip_s: float
    fps: float
    marks: Mapping[str, Thing] = field(default_factory=dict)
    T_world_mark: Mapping[str, Array] = field(default_factory=dict)
    T_world_goal: Array | None = None
    friction: float | None = None
    light: Light | None = None

    @property
    def objects(self) -> tuple[str, ...]:
        """Names of what the table's look and difficulty come from, as a record of the demo tells them."""
        return tuple(thing.name for thing in self.things.values())


@dataclass(frozen=True, eq=False)
class Moment:
    """What is so at t [s].

    T_world_thing by body and particle; T_world_tool by role, nan while a tool is away; touching: pairs (role, body)
    in contact; opening [m] and grip [N] of a gripper, else nan.
    """

    t: float
    T_world_thing: Mapping[str, Array]
    T_world_tool: Mapping[str, Array]
    touching: frozenset[tuple[str, str]] = frozenset()
    opening: float = float("nan")
    grip: float = float("nan")


@dataclass(frozen=True)
class Verdict:
    """What a success rule found: measures by name (units in the name), text for a person."""

    success: bool
    measures: Mapping[str, float]
    text: str


def lying_at(place: Array, yaw: float = 0.0, z: float = 0.0) -> Array:
    """T_world_thing (4, 4) of something that lies flat at place (2,) [m]."""
    return transform(rotation_from_vector(np.array([0.0, 0.0, yaw])), [place[0], place[1], z])


def yaw_of(T: Array) -> float:
    """Heading of a frame's x axis in the table plane [rad]."""
    return float(np.arctan2(T[1, 0], T[0, 0]))


def drawn_light(rng: np.random.Generator) -> Light:
    return Light(float(rng.uniform(0.75, 1.2)), float(rng.uniform(0.6, 1.4)), float(rng.uniform(-0.6, 0.6)))


def apart(
    rng: np.random.Generator, radii: list[float], taken: list[tuple[float, float, float]],
    area: tuple[float, float, float, float], gap: float = 0.012,
) -> list[Array]:  # fmt: skip
    """Draw one place (2,) for each radius [m] so that no two discs, nor those taken (x, y, radius), come
    nearer than
    gap; area: lowest x, y, highest x, y. What does not fit after many tries is left out (nan)."""
    placed = list(taken)
    places = []
    for radius in radii:
        spot = np.full(2, np.nan)
        for _ in range(200):
            trial = rng.uniform(area[:2], area[2:])
            if all(np.hypot(*(trial - [x, y])) > radius + other + gap for x, y, other in placed):
                spot = trial
                placed.append((float(trial[0]), float(trial[1]), radius))
                break
        places.append(spot)
    return places
