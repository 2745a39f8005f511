"""The choice of configuration: which of the many ways to hold the tool carries it best along the whole path."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from hardware.geometry import Array
from hardware.planner.inverse import solve
from hardware.planner.task import ArmTask, Scene

N_SEEDS, SPREAD_RAD = 28, 0.9
KEPT = 3
# what counts as plenty: more than this of one thing never makes up for little of another
PLENTY_LIMIT_RAD, PLENTY_SINGULARITY, PLENTY_ROOM_M = 0.5, 0.2, 0.05
TRAVEL_COST = 0.3
CROSSING_COST, CROSSING_SAMPLES = 4.0, 10
DISTINCT_RAD = 0.4


@dataclass(frozen=True, eq=False)
class Candidate:
    """q (C, J) along the coarse path, and how good it is; below 0 where the path cannot be met."""

    q: Array
    score: float


def candidates(task: ArmTask, T_base_flange: Array, scene: Scene, others: Mapping[str, Array]) -> list[Candidate]:
    """Return the best candidates, best first, for T_base_flange (C, 4, 4) while the others (J,) stand still."""
    seeds = _seeds(task, T_base_flange[0])
    q, error = _follow(task, T_base_flange, seeds)
    miss = np.maximum(
        np.linalg.norm(error[..., :3], axis=-1) / 1e-4, np.linalg.norm(error[..., 3:], axis=-1) / 1e-3
    )
    worst = miss.max(axis=1)
    score = np.where(worst > 1, -1 - np.log10(np.maximum(worst, 1)), _ease(task, q))
    order = _distinct(np.argsort(-score, kind="stable"), q)[: 2 * KEPT]
    found = [Candidate(q[i], float(score[i]) + _roominess(task, q[i], scene, others)) for i in order]
    return sorted(found, key=lambda c: -c.score)[:KEPT]


def together(found: Mapping[str, Sequence[Candidate]], scene: Scene) -> dict[str, Candidate]:
    """Return one candidate per arm: the best-scoring combination that keeps clear, else the clearest one."""
    combinations = [dict(zip(found, chosen, strict=True)) for chosen in product(*found.values())]
    combinations.sort(key=lambda chosen: -sum(c.score for c in chosen.values()))
    rooms = []
    for chosen in combinations:
        room = scene.room({arm: c.q for arm, c in chosen.items()}, between=False)
        if room > 0:
            return chosen
        rooms.append(room)
    return combinations[int(np.argmax(rooms))]


def _seeds(task: ArmTask, T: Array) -> Array:
    """Home and the measured pose, home turned towards the tool, its other branches, and random neighbours of that;
    always the same."""
    arm, home = task.kinematics, task.config.home
    facing = np.array(home)
    facing[0] += np.arctan2(T[1, 3], T[0, 3]) - np.arctan2(*arm.flange_pose(home)[[1, 0], 3])
    facing[0] = (facing[0] + np.pi) % (2 * np.pi) - np.pi
    spread = np.random.default_rng(0).normal(0.0, SPREAD_RAD, (N_SEEDS, arm.n_joints))
    seeds = np.concatenate([[task.q_start, home, facing], _branches(facing, arm.wrist), facing + spread])
    return np.asarray(np.clip(seeds, arm.q_lower, arm.q_upper))


def _branches(q: Array, wrist: int | None) -> Array:
    """The other ways (B, J) in which a six-joint arm holds about the same pose: shoulder, elbow and wrist flipped.

    Only starts: the solver goes to the branch that is nearest. An arm with a joint to spare has no branches.
    """
    if wrist is None:
        return np.zeros((0, len(q)))
    found = []
    for shoulder, elbow, flip in product((False, True), repeat=3):
        pan, lift, bend, *hand = q
        if elbow:
            # the triangle of upper arm and forearm turned over, the hand held as it was
            lift, bend, hand = lift + bend, -bend, [hand[0] + bend, *hand[1:]]
        if shoulder:
            pan, lift, bend, hand = pan + np.pi, -np.pi - lift, -bend, [hand[0] - np.pi, *hand[1:]]
        if flip:
            hand = [hand[0] + np.pi, -hand[1], hand[2] + np.pi]
        found.append(np.array([pan, lift, bend, *hand]))
    turned = np.stack(found[1:])
    return np.asarray((turned + np.pi) % (2 * np.pi) - np.pi)


def _follow(task: ArmTask, T: Array, seeds: Array) -> tuple[Array, Array]:
    """q (K, C, J) and error (K, C, 6) from every seed (K, J)."""
    count = len(seeds)
    q, error = np.empty((count, len(T), seeds.shape[1])), np.empty((count, len(T), 6))
    rest = seeds
    for i, target in enumerate(T):
        start, steps = (seeds, 30) if i == 0 else (q[:, i - 1], 5)
        goal = np.broadcast_to(target, (count, 4, 4))
        q[:, i], error[:, i] = solve(task.kinematics, goal, start, rest, steps, pull=0.05)
        rest = q[:, 0]
    return q, error


def _ease(task: ArmTask, q: Array) -> Array:
    """Score (K,) of about 0..2: room to joint limits and singularities, less what the joints turn."""
    margin = np.minimum(q - task.limits.q_lower, task.limits.q_upper - q).min(axis=(1, 2))
    singularity = task.kinematics.singularity_distance(q).min(axis=1)
    turned = np.abs(np.diff(q, axis=1)).sum(axis=1)
    travel = np.linalg.norm(np.abs(q[:, 0] - task.q_start) + turned, axis=1)
    score = np.clip(margin / PLENTY_LIMIT_RAD, 0, 1) + np.clip(singularity / PLENTY_SINGULARITY, 0, 1)
    return np.asarray(score - TRAVEL_COST * travel - CROSSING_COST * _crosses(task, q))


def _crosses(task: ArmTask, q: Array) -> NDArray[np.bool_]:
    """Whether (K,) an arm without a joint to spare must pass a singularity on its way to the path or home from it.

    Its branches are divided by singularities, so a path in another branch than where it stands costs two crossings.
    """
    if task.kinematics.wrist is None:
        return np.zeros(len(q), bool)
    s = np.linspace(0.0, 1.0, CROSSING_SAMPLES)[:, None]
    ways = [(task.q_start, q[:, :1]), (task.config.home, q[:, -1:])]
    lines = np.concatenate([(1 - s) * stand + s * end for stand, end in ways], axis=1)
    nearest = task.kinematics.singularity_distance(lines).min(axis=1)
    return np.asarray(nearest < task.limits.min_singularity)


def _roominess(task: ArmTask, q: Array, scene: Scene, others: Mapping[str, Array]) -> float:
    standing = {arm: joints for arm, joints in others.items() if arm != task.name}
    still = {arm: np.broadcast_to(joints, (len(q), len(joints))) for arm, joints in standing.items()}
    room = float(scene.check({**still, task.name: q}, between=False).nearest.min())
    return 3.0 * float(np.clip(room / PLENTY_ROOM_M, -1, 1))


def _distinct(order: NDArray[np.intp], q: Array) -> list[int]:
    kept: list[int] = []
    for i in order:
        if all(np.abs(q[i] - q[j]).max() > DISTINCT_RAD for j in kept):
            kept.append(int(i))
    return kept
