"""A scripted person who shows each task: looks at the table, tries ways out in the head, and moves the tools.

Every motion enters from the near edge, works, and leaves. Its first `clip_s` seconds are what a clip shows; the way
out follows. People differ: speed, approach, pauses, tremor, how they take the object, and now and then a miss that
they put right.
"""

import math
from collections.abc import Callable, Mapping

import numpy as np

from hardware.geometry import Array, transform
from hardware.world.demonstrator import PLATE_NOSE, nose_at
from hardware.world.gripper import LARGEST_OPENING, STIFFNESS
from hardware.world.held import HeldTools
from hardware.world.motion import DT, Motion, Pace, person_poses, poses_of, smooth_values
from hardware.world.objects import Part, Thing
from hardware.world.tabletop import Workbench
from hardware.world.tasks import push_shape, rotation, sweeping
from hardware.world.tasks.catalogue import bowl_size
from hardware.world.tasks.layout import yaw_of
from hardware.world.tasks.shapes import footprint

LOW, GRASP = 0.012, 0.006  # [m] where the finger tips go over the table, and what they hold at least
LEAVE = 0.9  # [s] the way out, after the clip
PUSH_TRIES, SWEEP_TRIES, TURN_TRIES = 40, 6, 10
MISS_CHANCE = 0.25
LOOK_EVERY = 3  # steps between two looks at an imagined push: 3.6 mm


def key(xy: Array, z: float, yaw: float, pitch: float = 0.0, roll: float = 0.0) -> Array:
    """A key pose x y z [m], yaw pitch roll [rad]."""
    return np.array([xy[0], xy[1], z, yaw, pitch, roll])


def heading_of(angle: float) -> Array:
    return np.array([np.cos(angle), np.sin(angle)])


def _shown(
    work: list[Array], share: list[float], u: Array, clip_s: float, rng: np.random.Generator,
) -> Array:  # fmt: skip
    """Poses (N, 4, 4): in from the near edge, through the working keys at those shares of the clip, and out
    again."""
    first, last = work[0], work[-1]
    swing = rng.normal(0, 0.08, 3)
    above = first + np.array([*(-rng.uniform(0.04, 0.1) * u), rng.uniform(0.03, 0.07), *swing])
    outside = np.array([rng.uniform(-0.12, 0.12), -0.6, first[2] + 0.12, above[3], 0.1, 0.0])
    enter = clip_s * rng.uniform(0.02, 0.07)
    over = enter + (share[0] * clip_s - enter) * rng.uniform(0.6, 0.75)
    back = last + np.array([*(-0.03 * u), 0.05, 0, 0, 0])
    gone = np.array([outside[0], -0.6, last[2] + 0.14, last[3], 0.0, 0.0])
    times = [0.0, enter, over, *(clip_s * s for s in share), clip_s + 0.3 * LEAVE, clip_s + LEAVE]
    return person_poses(
        np.array(times), np.stack([outside, outside, above, *work, back, gone]), clip_s + LEAVE, rng
    )


def show_push(bench: Workbench, rng: np.random.Generator) -> Motion | None:
    """One push of several towards the goal; None where another would not help."""
    layout = bench.layout
    thing, goal = layout.things["thing"], layout.T_world_goal
    if goal is None:
        raise ValueError(f"{layout.task}: its layout has no goal to push to")

    goal_x, goal_y, goal_yaw = float(goal[0, 3]), float(goal[1, 3]), yaw_of(goal)

    def cost(held: HeldTools) -> float:
        # nobody pushes towards himself: what is too far cannot come back, what is too near is put right later
        x, y, yaw = held.planar("thing")
        far = y - goal_y
        turn = push_shape.heading_error(thing, yaw, goal_yaw)
        return math.hypot(x - goal_x, 2.0 * far if far > 0 else 0.8 * far) + 0.08 * turn

    T_now = bench.held.thing("thing")
    best: tuple[float, list[Array]] = (cost(bench.held) - 0.002, [])
    way = goal[:2, 3] - T_now[:2, 3]
    ahead = float(np.arctan2(way[1], way[0])) if np.linalg.norm(way) > 0.02 else np.pi / 2
    ahead = float(np.clip(ahead % (2 * np.pi), 0.1, np.pi - 0.1)) if ahead > -np.pi / 2 else np.pi - 0.1
    height = 0.036 + rng.uniform(0.005, 0.01)
    for k in range(PUSH_TRIES):
        straight = k % 4 == 0
        angle = float(np.clip(ahead + rng.normal(0, 0.15 if straight else 0.8), -0.4, np.pi + 0.4))
        aside = float(rng.normal(0, 0.012) if straight else rng.uniform(-0.08, 0.08))
        spin = float(rng.uniform(-0.35, 0.35)) if k % 2 else 0.0
        u = heading_of(angle)
        own = heading_of(angle - yaw_of(T_now))
        start = T_now[:2, 3] + aside * np.array([-u[1], u[0]]) - (thing.support(-own) + 0.036) * u
        far = 0.036 + float(np.linalg.norm(way)) + 0.07
        count = round(far / 0.3 / DT)
        s = np.linspace(0, 1, count)
        keys = np.column_stack(
            [start + np.outer(s * far, u), np.full(count, height), angle + spin * s, 0 * s, 0 * s]
        )
        least = np.inf
        for n, tried in enumerate(bench.imagine(Motion({"tool": poses_of(keys)}), LOOK_EVERY)):
            value = cost(tried)
            least = min(least, value)
            if value < best[0]:
                best = value, [keys[0], keys[min(LOOK_EVERY * (n + 1), count - 1)]]
            if value > least + 0.03:
                break
    if not best[1]:
        return None
    first, end = best[1]
    end[:2] += rng.normal(0, 0.005 if rng.random() < MISS_CHANCE else 0.001, 2)
    u = heading_of(first[3])
    pause = rng.uniform(0.0, 0.06) if rng.random() < 0.3 else 0.0
    start_share = rng.uniform(0.42, 0.48)
    ease = [0.0, 0.15, 0.5, 0.85, 1.0]
    work = [first + e * (end - first) for e in ease]
    span = rng.uniform(0.34, 0.42)
    share = [start_share, *(start_share + pause + span * s for s in (0.22, 0.5, 0.78, 1.0))]
    return Motion({"tool": _shown([*work, end], [*share, 0.98], u, layout.clip_s, rng)})


def show_sweep(bench: Workbench, rng: np.random.Generator) -> Motion | None:
    """Brush one of the particles to the star on a way that is clear."""
    layout, moment = bench.layout, bench.held.moment(0.0)
    star = layout.T_world_mark["star"][:2, 3]
    height = 0.044 + 0.002
    found: list[tuple[float, Motion]] = []
    names = list(sweeping.distances(layout, moment))
    for name in rng.permutation(names)[:SWEEP_TRIES]:
        place = moment.T_world_thing[str(name)][:2, 3]
        angle = float(np.arctan2(*(star - place)[::-1]))
        u = heading_of(angle)
        side = np.array([-u[1], u[0]]) * rng.uniform(-0.025, 0.025)
        behind = rng.uniform(0.035, 0.055)
        far = float(np.linalg.norm(star - place)) + behind - rng.uniform(-0.005, 0.02)
        start = key(place - (behind + 0.018) * u + side, height, angle + rng.normal(0, 0.06))
        work = [start, *(start + np.array([*(far * e * u), 0, 0, 0, 0]) for e in (0.2, 0.8, 1.0, 1.0))]
        begin = rng.uniform(0.4, 0.46)
        share = [begin, begin + 0.12, begin + 0.36, begin + 0.46, 0.98]
        if rng.random() < MISS_CHANCE:  # comes down beside it, lifts, and comes down where it should
            aside = start + np.array(
                [*rng.choice([-1, 1]) * 0.05 * np.array([-u[1], u[0]]) - 0.03 * u, 0.012, 0, 0, 0]
            )
            work, share = (
                [aside, aside + np.array([0, 0, 0.02, 0, 0, 0]), *work],
                [begin - 0.14, begin - 0.08, *share],
            )
        motion = Motion({"tool": _shown(work, share, u, layout.clip_s, rng)})
        *_, tried = bench.imagine(_cut(motion, layout.clip_s, (share[0] - 0.03) * layout.clip_s), 10_000)
        verdict = sweeping.judge(layout, [tried.moment(layout.clip_s)])
        found.append((verdict.measures["nearest_mm"] + verdict.measures["moved_others_mm"], motion))
        if verdict.success and verdict.measures["moved_others_mm"] < 5:
            return motion
    return min(found, key=lambda pair: pair[0])[1]


def show_rotation(bench: Workbench, rng: np.random.Generator) -> Motion | None:
    """Two hands take the object between the rounded ends and turn it counterclockwise."""
    layout, now = bench.layout, bench.held.moment(0.0)
    T, thing = now.T_world_thing["thing"], layout.things["thing"]
    rim = _rim(thing)
    best: tuple[float, Motion | None] = (-1.0, None)
    for _ in range(TURN_TRIES):
        turn = float(rng.uniform(0.6, 0.85))
        axis = float(rng.uniform(-0.35, 0.35)) - turn / 2
        squeeze = float(rng.uniform(0.003, 0.014))
        motion = _turning(T, rim, axis, turn, squeeze, layout.clip_s, rng)
        tries = enumerate(bench.imagine(_cut(motion, layout.clip_s), 8), 1)
        moments = [now, *(tried.moment(8 * DT * k) for k, tried in tries)]
        verdict = rotation.judge(layout, moments)
        lift = max(abs(float(m.T_world_thing["thing"][2, 3] - T[2, 3])) for m in moments)
        score = verdict.measures["turn_deg"] - 60 * verdict.measures["longest_gap_s"] - 500 * max(0.0, lift - 0.01)
        if score > best[0]:
            best = score, motion
        if verdict.success and verdict.measures["turn_deg"] > 28 and lift < 0.01:
            return motion
    return best[1]


def _turning(
    T: Array, rim: Array, axis: float, turn: float, squeeze: float, clip_s: float,
    rng: np.random.Generator,
) -> Motion:  # fmt: skip
    steps = np.linspace(0, 1, 6)
    ease = steps * steps * (3 - 2 * steps)
    begin = rng.uniform(0.42, 0.48)
    drift = rng.uniform(-0.015, 0.015, 2)
    paths = {}
    again = rng.random() < 0.3 * MISS_CHANCE
    for role, sign in (("left", 1.0), ("right", -1.0)):
        height = rng.uniform(0.073, 0.08)
        lag = rng.uniform(0.0, 0.3)
        own = heading_of(axis - yaw_of(T))
        reach = _meets(rim, -sign * own) - squeeze
        work = [
            nose_at(T[:2, 3] + e * drift, axis + e * turn, sign, reach, lag * e * turn, height, rng, 0.03)
            for e in ease
        ]
        off = np.array([*(-sign * 0.035 * heading_of(axis)), 0.01, 0, 0, 0])
        near = work[0] + off
        keys, share = [near, work[0], *work], [begin - 0.08, begin, *(begin + 0.03 + (0.95 - begin) * steps)]
        if again:  # touches, lets go, and takes it anew
            keys = [near, work[0], work[0] + 0.6 * off, *keys[1:]]
            share = [begin - 0.2, begin - 0.14, begin - 0.07, *share[1:]]
        u = heading_of(axis) * sign
        above = (
            np.array([-sign * rng.uniform(0.0, 0.04), rng.uniform(-0.14, -0.08), 0.03, *rng.normal(0, 0.06, 3)])
            + near
        )
        outside = np.array([-sign * rng.uniform(0.17, 0.24), -0.55, height + 0.06, above[3], 0.0, 0.0])
        enter = clip_s * rng.uniform(0.02, 0.07)
        back = keys[-1] + np.array([*(-0.05 * u), 0.03, 0, 0, 0])
        times = [0.0, enter, enter + 0.7 * (share[0] * clip_s - enter), *(clip_s * s for s in share),
                 clip_s + 0.3 * LEAVE, clip_s + LEAVE]  # fmt: skip
        all_keys = np.stack([outside, outside, above, *keys, back, outside + np.array([0, 0, 0, 0, 0, 0])])
        paths[role] = person_poses(np.array(times), all_keys, clip_s + LEAVE, rng)
    return Motion(paths)


def _rim(thing: Thing) -> Array:
    """Points (N, 2) all along the edges of an object's top view, in its frame."""
    share = np.linspace(0.0, 1.0, 16)[:, None, None]
    edges = [(1 - share) * corners + share * np.roll(corners, -1, axis=0) for corners in footprint(thing)]
    return np.concatenate([edge.reshape(-1, 2) for edge in edges]) if edges else thing.outline


def _meets(rim: Array, direction: Array) -> float:
    """How far from the object's middle a gripper's rounded end meets its rim, coming from `direction` (2,) [m].

    A corner aside of the way is met late or never: the end is half an ellipse, and an edge may come before it.
    """
    _, deep, wide = PLATE_NOSE
    aside = np.clip(rim @ np.array([-direction[1], direction[0]]) / wide, -1.0, 1.0)
    return float((rim @ direction - deep * (1.0 - np.sqrt(1.0 - aside * aside))).max())


def show_scoop(bench: Workbench, rng: np.random.Generator) -> Motion | None:
    """Dip into the full bowl, drag to its far wall, lift, and pour over the empty one."""
    layout, now = bench.layout, bench.held.moment(0.0)
    full, empty = (now.T_world_thing[name][:2, 3] for name in ("full", "empty"))
    radius, wall = bowl_size(int(layout.things["full"].name.split()[1]))
    heading = np.pi / 2 + rng.uniform(-0.35, 0.35)
    u = heading_of(heading)

    def lip(at: Array, z: float, pitch: float) -> Array:
        """The key whose lip (0.152, 0, -0.024 in the tool frame) is at a point `at`, z."""
        x, down = 0.152 * np.cos(pitch) - 0.024 * np.sin(pitch), 0.152 * np.sin(pitch) + 0.024 * np.cos(pitch)
        return key(at - x * u, z + down, heading, pitch)

    steep, deep = rng.uniform(0.85, 1.0), 0.0105
    over, side = empty + rng.uniform(-0.012, 0.012, 2), float(rng.choice([-1.0, 1.0]))

    def pour(z: float, roll: float) -> Array:
        """The key whose hollow is over the empty bowl, z above its rim, the wrist turned by roll."""
        hollow = poses_of(key(np.zeros(2), 0.0, heading, -0.05, roll)[None])[0, :3, :3] @ [0.116, 0.0, -0.02]
        # what it holds comes over the side wall
        aside = 0.03 * np.sin(roll) * np.array([-u[1], u[0]])
        return key(over + aside - hollow[:2], wall + z - hollow[2], heading, -0.05, roll)

    work = [
        lip(full - 0.25 * radius * u, wall + 0.05, steep),
        lip(full - 0.35 * radius * u, deep, steep),
        lip(full + 0.45 * radius * u, deep, 0.8 * steep),
        lip(full + (radius - 0.014) * u, deep + 0.012, 0.3),
        lip(full + (radius - 0.02) * u, wall + 0.03, -0.1),
        lip(full + (radius - 0.03) * u, wall + 0.07, -0.12),
        pour(0.07, 0.0),
        pour(0.055, side * 1.5),
        pour(0.06, side * 2.1),
    ]
    share = [0.2, 0.27, 0.37, 0.45, 0.52, 0.58, 0.74, 0.86, 0.98]
    return Motion({"tool": _shown(work, share, u, layout.clip_s, rng)})


def show_pick(bench: Workbench, rng: np.random.Generator) -> Motion | None:
    """Take the object between the fingers, carry it to the mat, let go; a first grasp that misses is taken
    again."""
    layout, now = bench.layout, bench.held.moment(0.0)
    T = now.T_world_thing["thing"]
    mat = layout.T_world_mark["mat"][:2, 3]
    yaw = _finger_yaw(layout.things["thing"].order, yaw_of(T))
    place = T[:2, 3] + rng.normal(0, 0.0015, 2)
    target = mat + rng.normal(0, 0.012, 2)
    held, begins = _held_part(layout.things["thing"])
    low, high = max(LOW, begins) + rng.uniform(0.0, 0.004), rng.uniform(0.08, 0.12)
    across = 2 * (held.size[0] if held.kind == "cylinder" else layout.things["thing"].support(np.array([0.0, 1.0])))
    wide, shut = rng.uniform(0.065, LARGEST_OPENING), across - 2 * rng.uniform(4.0, 12.0) / STIFFNESS
    pace = Pace(rng, rng.uniform(0.35, 0.5))
    keys: list[Array] = []
    gaps: list[float] = []

    def go(at: Array, z: float, opening: float, turn: float = yaw) -> None:
        pose = np.array([at[0], at[1], z, turn, 0.0, 0.0])
        if keys:
            pace.leg(float(np.linalg.norm((pose - keys[-1])[:3])), 0.16)
        keys.append(pose)
        gaps.append(opening)

    def stay(seconds: float, opening: float) -> None:
        pace.wait(seconds)
        keys.append(keys[-1])
        gaps.append(opening)

    start = np.array([rng.uniform(-0.05, 0.05), -0.5])
    go(start, 0.2, wide, 0.0)
    stay(rng.uniform(0.05, 0.2), wide)
    go(place + rng.normal(0, 0.01, 2), high, wide)
    if rng.random() < MISS_CHANCE:
        along = heading_of(yaw) * rng.choice([-1, 1]) * 0.055
        go(place + along, low + 0.012, wide)
        stay(0.22, 0.02)
        stay(0.18, wide)
        go(place + along, 0.075, wide)
        go(place, 0.075, wide)
    go(place, low, wide)
    stay(0.25, shut)
    go(place, high, shut)
    go(target, high, shut, yaw * 0.5)
    go(target, low + 0.002, shut, yaw * 0.5)
    stay(rng.uniform(0.08, 0.2), shut)
    stay(0.2, wide)
    go(target, high, wide, yaw * 0.5)
    go(start, 0.2, wide, 0.0)
    times = np.array(pace.times)
    values = np.column_stack([np.stack(keys), gaps])
    dense = smooth_values(times, values, float(times[-1]) + 0.1)
    return Motion({"gripper": _pointing_down(dense[:, :4])}, dense[:, 6])


def _held_part(thing: Thing) -> tuple[Part, float]:
    """The lowest part that the fingers can get hold of, and where it begins over the table [m]."""
    for part in thing.parts:
        # a prism stands on its place, all else is about it
        half = part.size[0] / 2 if part.kind == "prism" else part.size[-1]
        middle = part.position[2] + (half if part.kind == "prism" else 0.0)
        if middle + half > LOW + GRASP:
            return part, middle - half
    return thing.parts[0], 0.0


def _finger_yaw(order: int, yaw: float) -> float:
    """The turn of the wrist that puts the fingers across the object's narrow side, as small as symmetry allows."""
    if order == 0:
        return 0.0
    period = np.pi / 2 if order == 4 else np.pi
    # fingers open along the object's y
    return float((yaw + period / 2) % period - period / 2)


def _pointing_down(rows: Array) -> Array:
    """Gripper poses (N, 4, 4) of x y z and wrist turn (N, 4): fingers down, opening along the turned y."""
    c, s, zero, one = np.cos(rows[:, 3]), np.sin(rows[:, 3]), np.zeros(len(rows)), np.ones(len(rows))
    x = np.stack([zero, zero, -one], axis=1)
    y = np.stack([-s, c, zero], axis=1)
    R = np.stack([x, y, np.cross(x, y)], axis=2)
    return transform(R, rows[:, :3])


def _cut(motion: Motion, end: float, start: float = 0.0) -> Motion:
    """Only what lies between two of its times [s]."""
    part = slice(round(start / DT), round(end / DT))
    opening = None if motion.opening is None else motion.opening[part]
    return Motion({role: T[part] for role, T in motion.T_world_tool.items()}, opening)


Show = Callable[[Workbench, np.random.Generator], Motion | None]
SHOWS: Mapping[str, Show] = {
    "push-shape": show_push,
    "sweeping": show_sweep,
    "rotation": show_rotation,
    "scooping": show_scoop,
    "pick-and-place": show_pick,
}
