"""Plans: exact where reachable, within every limit, from the measured pose, and honest about what they break."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardware.geometry import Array, apply, inverse, project, rotation_from_vector, transform
from hardware.kinematics import ArmKinematics
from hardware.planner import checks, report
from hardware.planner.motion import Motion
from hardware.planner.paths import LiftedPath, PosePath
from hardware.planner.task import ArmTask
from hardware.planning import ToolPath, default_limits, plan
from hardware.rig import Rig, load_rig
from hardware.tools import BUILT_IN_TOOLS, load_tool
from hardware.types import ArmLimits, ArmPlan, Check, Plan, Tool

FPS = 6.0


@dataclass(frozen=True, eq=False)
class Desk:
    """The simulated rig with its tools and limits, both arms at home."""

    rig: Rig
    tools: Mapping[str, Tool]
    limits: Mapping[str, ArmLimits]
    home: Mapping[str, Array]

    def plan(self, paths: Mapping[str, ToolPath], **changes: object) -> Plan:
        arguments: dict[str, object] = {"tools": self.tools, "q_start": self.home, "fps": FPS}
        limits = changes.pop("limits", self.limits)
        return plan(paths, self.rig, limits, **{**arguments, **changes})  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def desk() -> Desk:
    rig = load_rig("sim")
    return Desk(
        rig,
        {side: load_tool(BUILT_IN_TOOLS[f"rotation_gripper_{side}"]) for side in ("left", "right")},
        {arm.name: default_limits(rig, arm) for arm in rig.arms},
        {arm.name: arm.home for arm in rig.arms},
    )


def sweep(start: list[float], end: list[float], yaw: float = 0.0, n: int = 13, t_0: float = 0.0) -> ToolPath:
    """A level tool that goes from start to end and turns by 0.5 rad on the way, at 6 frames a second."""
    s = np.linspace(0, 1, n)[:, None]
    turn = rotation_from_vector(np.array([0.0, 0.0, 1.0]) * (yaw + 0.5 * s))
    return ToolPath(t_0 + np.arange(n) / FPS, transform(turn, (1 - s) * np.array(start) + s * np.array(end)))


def pair() -> dict[str, ToolPath]:
    return {
        "left": sweep([-0.26, -0.08, 0.10], [-0.16, 0.08, 0.09]),
        "right": sweep([0.26, 0.08, 0.10], [0.16, -0.08, 0.09], yaw=np.pi),
    }


@pytest.fixture(scope="module")
def good(desk: Desk) -> Plan:
    return desk.plan(pair())


@pytest.fixture(scope="module")
def real_tracks(real_dreams: Path, desk: Desk) -> Mapping[str, Mapping[str, ToolPath]]:
    """The reference tracks of the real dreams, placed as an imported dream is: its first camera is the rig's."""
    T_world_view1 = desk.rig.cameras[0].camera.T_world_cam
    tracks: dict[str, dict[str, ToolPath]] = {}
    for file in sorted((real_dreams / "poses").glob("*.json")):
        poses = json.loads(file.read_text())["poses"]
        tracks[file.stem] = {}
        for side in ("left", "right"):
            own = [pose for pose in poses if pose["tool"] == side]
            T = T_world_view1 @ np.array([pose["T_top_tool"] for pose in own])
            tracks[file.stem][side] = ToolPath(np.array([pose["t"] for pose in own]) / FPS, T)
    return tracks


def found(of: Plan, rule: str, arm: str = "left") -> Check:
    return next(check for check in of.checks if check.rule == rule and check.arm in (arm, ""))


def tip(desk: Desk, of: Plan, arm: str) -> Array:
    part = next(a for a in of.arms if a.arm == arm)
    T = desk.rig.arm(arm).T_world_base @ part.T_base_tool
    return apply(T, desk.tools[arm].tip[None])[:, 0]


def test_a_sound_track_gives_a_plan_without_violations(good: Plan) -> None:
    assert good.violations == ()
    assert {arm.arm for arm in good.arms} == {"left", "right"}
    assert [phase.name for phase in good.phases] == ["approach", "work", "retreat"]
    assert good.phases[0].start == 0
    assert good.phases[-1].end == pytest.approx(good.duration)


def test_the_plan_starts_at_the_measured_pose_and_ends_at_home_both_at_rest(desk: Desk) -> None:
    random = np.random.default_rng(3)
    start = {arm: q + random.normal(0, 0.1, 7) for arm, q in desk.home.items()}
    moved = desk.plan(pair(), q_start=start)
    for part in moved.arms:
        np.testing.assert_array_equal(part.q[0], start[part.arm])
        np.testing.assert_allclose(part.q[-1], desk.home[part.arm], atol=1e-12)
        speed = np.diff(part.q, axis=0) * 100
        acceleration = np.diff(speed, axis=0) * 100
        for end in (speed[0], speed[-1], acceleration[0], acceleration[-1]):
            assert np.abs(end).max() < 0.05


def test_at_the_end_both_tools_are_out_of_the_cameras_view(desk: Desk, good: Plan) -> None:
    for part in good.arms:
        T = desk.rig.arm(part.arm).T_world_base @ part.T_base_tool[-1]
        points = apply(T, desk.tools[part.arm].mesh.vertices)
        for camera in (c.camera for c in desk.rig.cameras):
            uv = project(camera.K, apply(inverse(camera.T_world_cam), points))
            assert not ((uv > 0) & (uv < camera.size)).all(axis=1).any()
    assert found(good, "retreat").status == "ok"


def test_the_tool_passes_through_every_pose_of_the_track(desk: Desk, good: Plan) -> None:
    work = np.isfinite(good.clip_frame)
    for part in good.arms:
        path = pair()[part.arm]
        for frame, wanted in zip(path.t * FPS, path.T_world_tool, strict=True):
            at = np.interp(frame, good.clip_frame[work], np.arange(work.sum()))
            T = desk.rig.arm(part.arm).T_world_base @ part.T_base_tool[work][round(at)]
            assert np.linalg.norm(T[:3, 3] - wanted[:3, 3]) < 1e-3
        assert np.isnan(part.target_T_base_tool[~work]).all()


def test_the_work_keeps_one_clock_and_its_frames(good: Plan) -> None:
    work = np.isfinite(good.clip_frame)
    frames = good.clip_frame[work]
    assert frames[0] == pytest.approx(0)
    assert frames[-1] == pytest.approx(12)
    assert (np.diff(frames) >= -1e-9).all()
    work = good.phases[1]
    assert 2.0 / (work.end - work.start) == pytest.approx(good.speed_scale, rel=0.01)


def place(path: ToolPath, frame: float) -> Array:
    return np.array([np.interp(frame / FPS, path.t, path.T_world_tool[:, k, 3]) for k in range(3)])


def hurried(n: int = 13) -> dict[str, ToolPath]:
    """Both tools rest, the left one hurries for two frames, and both rest again but for a slow turn."""
    still = sweep([-0.26, -0.08, 0.10], [-0.26, -0.07, 0.10], n=n)
    poses = still.T_world_tool.copy()
    poses[n // 2 :, 0, 3] += 0.08
    return {"left": ToolPath(still.t, poses), "right": sweep([0.26, 0.08, 0.10], [0.26, 0.07, 0.10], np.pi, n)}


def test_a_fast_place_slows_itself_and_not_the_rest(desk: Desk) -> None:
    result = desk.plan(hurried())
    assert result.violations == ()
    rate = np.diff(result.clip_frame) / FPS / 0.01
    work = np.isfinite(rate)
    frames = result.clip_frame[:-1]
    assert np.nanmax(rate) <= 1.001
    assert np.nanmax(rate[work & (frames < 3)]) > 0.9
    assert np.nanmax(rate[work & (np.abs(frames - 5.5) < 0.5)]) < 0.3
    slow = found(result, "slowed")
    assert slow.status == "ok"
    assert "tip speed" in slow.text
    inside = (result.t[:-1] >= slow.spans[0][0]) & (result.t[:-1] <= slow.spans[-1][1])
    assert np.abs(frames[inside] - 5.5).max() < 4


def test_both_arms_stay_in_step_where_the_clock_is_slowed(desk: Desk) -> None:
    result, paths = desk.plan(hurried()), hurried()
    work = np.isfinite(result.clip_frame)
    for part in result.arms:
        T = desk.rig.arm(part.arm).T_world_base @ part.T_base_tool[work]
        for frame in range(1, 12):
            at = int(np.abs(result.clip_frame[work] - frame).argmin())
            assert np.linalg.norm(T[at, :3, 3] - place(paths[part.arm], result.clip_frame[work][at])) < 2e-3


def test_an_arm_that_is_seen_later_waits_still(desk: Desk) -> None:
    paths = pair()
    late = ToolPath(paths["right"].t[4:], paths["right"].T_world_tool[4:])
    result = desk.plan({**paths, "right": late})
    assert result.violations == ()
    waiting = result.clip_frame < 4
    right = next(a for a in result.arms if a.arm == "right")
    assert np.ptp(right.q[waiting], axis=0).max() < 1e-6


def test_the_same_input_gives_the_same_plan(desk: Desk, good: Plan) -> None:
    again = desk.plan(pair())
    for a, b in zip(good.arms, again.arms, strict=True):
        np.testing.assert_array_equal(a.q, b.q)
    assert good.checks == again.checks


def test_the_first_run_is_slower_and_says_so_in_its_limits(desk: Desk, good: Plan) -> None:
    later = desk.plan(pair(), first_run=False)
    assert good.limits["left"].tip_speed == desk.rig.safety.first_run_tip_speed
    assert later.limits["left"].tip_speed == desk.rig.safety.tip_speed
    assert good.speed_scale < later.speed_scale
    for arm in ("left", "right"):
        speed = np.linalg.norm(np.diff(tip(desk, good, arm), axis=0), axis=1) * 100
        assert speed.max() <= desk.rig.safety.first_run_tip_speed


def test_a_person_can_ask_for_less_speed(desk: Desk) -> None:
    assert desk.plan(pair(), speed_scale=0.05).speed_scale <= 0.05


def test_what_it_was_made_from_is_carried(desk: Desk, good: Plan) -> None:
    result = desk.plan({"left": pair()["left"]}, emulated_only=True, dream="d", track_sha256="t")
    assert (result.emulated_only, result.dream, result.track_sha256) == (True, "d", "t")
    assert result.rig_sha256 == desk.rig.sha256
    assert not good.emulated_only


def test_an_idle_arm_is_kept_clear_of(desk: Desk) -> None:
    arm = ArmKinematics.load("xarm7")
    reaching = np.radians([0, 40, 0, 98, 0, 58, 0.0])
    T = desk.rig.arm("right").T_world_base @ arm.flange_pose(reaching)
    x = float(T[0, 3])
    into = sweep([-0.30, 0.0, 0.15], [min(x, 0.0), 0.0, 0.17])
    result = desk.plan({"left": into}, q_start={**desk.home, "right": reaching})
    assert found(result, "arm collision").status == "violation"
    assert [a.arm for a in result.arms] == ["left"]


def reachable(seed: int, side: str) -> ToolPath:
    """A wandering track over the table within the arm's reach."""
    random = np.random.default_rng(seed)
    sign = -1.0 if side == "left" else 1.0
    n = int(random.integers(4, 14))
    p = np.array([sign * random.uniform(0.14, 0.34), random.uniform(-0.2, 0.2), random.uniform(0.09, 0.16)])
    p = p + np.cumsum(random.normal(0, [0.012, 0.015, 0.004], (n, 3)), axis=0)
    p[:, 0] = sign * np.clip(np.abs(p[:, 0]), 0.12, 0.36)
    p[:, 2] = np.maximum(p[:, 2], 0.08)
    yaw = random.uniform(-0.5, 0.5) + np.cumsum(random.normal(0, 0.08, n)) + (np.pi if side == "right" else 0.0)
    tilt = random.uniform(-0.25, 0.25, (1, 2)) + np.cumsum(random.normal(0, 0.02, (n, 2)), axis=0)
    R = rotation_from_vector(yaw[:, None] * np.array([0.0, 0.0, 1.0]))
    return ToolPath(
        np.cumsum(random.choice([1, 1, 1, 2], n)) / FPS,
        transform(R @ rotation_from_vector(np.concatenate([tilt, np.zeros((n, 1))], axis=1)), p),
    )


@settings(deadline=None, max_examples=12, derandomize=True)
@given(seed=st.integers(0, 100_000), side=st.sampled_from(["left", "right"]), first=st.booleans())
def test_every_reachable_track_is_followed_exactly_and_within_all_limits(
    desk: Desk, seed: int, side: str, first: bool
) -> None:
    result = desk.plan({side: reachable(seed, side)}, first_run=first)
    assert result.violations == ()
    assert found(result, "path error", side).value <= 0.1
    assert found(result, "path rotation error", side).value <= 0.05


@pytest.mark.slow
@settings(deadline=None, max_examples=100)
@given(seed=st.integers(0, 10_000_000))
def test_two_arms_plan_soundly_all_over_the_table(desk: Desk, seed: int) -> None:
    result = desk.plan({"left": reachable(seed, "left"), "right": reachable(seed + 1, "right")})
    assert {c.rule for c in result.violations} <= {"arm collision"}


def test_a_track_too_low_is_lifted_and_every_lift_is_shown(desk: Desk) -> None:
    low = sweep([-0.26, -0.08, 0.10], [-0.16, 0.08, 0.05])
    result = desk.plan({"left": low})
    assert result.violations == ()
    assert len(result.clamps) == 1
    clamp = result.clamps[0]
    assert clamp.amount == pytest.approx(0.062 + 0.005 - 0.05, abs=2e-3)
    work = result.phases[1]
    assert work.start <= clamp.span[0] < clamp.span[1] <= work.end
    assert found(result, "clamp").status == "warning"
    assert found(result, "clamp").spans == (clamp.span,)
    assert tip(desk, result, "left")[:, 2].min() >= 0.005 - 1e-5


def test_a_tool_that_asks_for_more_height_gets_it(desk: Desk) -> None:
    level = sweep([-0.26, -0.08, 0.10], [-0.16, 0.08, 0.08])
    careful = {**desk.tools, "left": replace(desk.tools["left"], min_tip_height=0.03)}
    result = desk.plan({"left": level}, tools=careful)
    assert result.limits["left"].min_tip_height == 0.03
    assert found(result, "tip height").value >= 30 - 0.02
    assert len(result.clamps) == 1


@dataclass(frozen=True, eq=False)
class Part:
    """One arm's part of a plan with the task it came from: to hold changed samples or limits against the rules."""

    task: ArmTask
    plan: ArmPlan
    motion: Motion

    def check(self, rule: str, q: Array | None = None, **limits: object) -> Check:
        task = replace(self.task, limits=replace(self.task.limits, **limits))  # type: ignore[arg-type]
        changed = self.plan.q if q is None else q
        arm = replace(self.plan, q=changed, T_base_tool=task.T_base_tool(changed))
        return next(c for c in checks.check_arm(task, arm, self.motion) if c.rule == rule)


@pytest.fixture(scope="module")
def part(desk: Desk, good: Plan) -> Part:
    arm, given_path, limits = desk.rig.arm("left"), pair()["left"], good.limits["left"]
    path = LiftedPath(PosePath(given_path, False, False), desk.tools["left"].mesh.vertices, 0.005, 0.0, 2.0)
    kinematics = ArmKinematics.load(arm.model)
    task = ArmTask(arm, kinematics, desk.tools["left"], limits, desk.home["left"], given_path, path)
    work = np.isfinite(good.clip_frame)
    q = {a.arm: a.q for a in good.arms}
    return Part(task, good.arms[0], Motion(good.t, q, work, good.clip_frame / FPS, good.speed_scale))


def bent(part: Part, amount: float) -> Array:
    """The joints with joint 1 off by `amount` [rad] at one sample in the middle of the work."""
    q = part.plan.q.copy()
    q[int(np.flatnonzero(part.motion.work)[40]), 0] += amount
    return q


LIMIT_BREAKS: Mapping[str, Callable[[Part], Check]] = {
    "path error": lambda p: p.check("path error", bent(p, 1e-3)),
    "path rotation error": lambda p: p.check("path rotation error", bent(p, 2e-3)),
    "tip speed": lambda p: p.check("tip speed", tip_speed=0.02),
    "tip acceleration": lambda p: p.check("tip acceleration", tip_acceleration=0.01),
    "joint limits": lambda p: p.check("joint limits", q_upper=p.plan.q.max(axis=0) - 0.01),
    "joint speed": lambda p: p.check("joint speed", dq_max=np.full(7, 0.01)),
    "joint acceleration": lambda p: p.check("joint acceleration", ddq_max=np.full(7, 0.01)),
    "joint jerk": lambda p: p.check("joint jerk", bent(p, 1e-3)),
    "workspace": lambda p: p.check("workspace", workspace=np.array([[-0.25, -0.5, 0.0], [0.5, 0.5, 0.6]])),
    "tip height": lambda p: p.check("tip height", min_tip_height=0.04),
    "singularity": lambda p: p.check("singularity", min_singularity=0.9),
}


@pytest.mark.parametrize("rule", sorted(LIMIT_BREAKS))
def test_a_broken_rule_is_told_with_amount_place_and_hint(part: Part, rule: str) -> None:
    assert part.check(rule).status == "ok"
    broken = LIMIT_BREAKS[rule](part)
    assert broken.status == "violation"
    assert broken.hint
    assert broken.value is not None
    assert broken.limit is not None
    assert broken.spans
    assert all(0 <= a <= b <= part.motion.t[-1] for a, b in broken.spans)


def test_a_jump_of_one_sample_shows_where_it_is(part: Part) -> None:
    spot = part.motion.t[int(np.flatnonzero(part.motion.work)[40])]
    check = part.check("joint acceleration", bent(part, 0.01))
    assert check.status == "violation"
    assert all(abs(edge - spot) < 0.05 for span in check.spans for edge in span)


def test_nan_in_a_motion_breaks_its_rules(part: Part) -> None:
    for rule in ("path error", "tip speed", "joint speed", "workspace", "joint limits"):
        assert part.check(rule, bent(part, np.nan)).status == "violation"


def test_an_arm_that_moved_since_planning_is_told(part: Part) -> None:
    moved = replace(part.task, q_start=part.task.q_start + 0.05)
    check = next(c for c in checks.check_arm(moved, part.plan, part.motion) if c.rule == "first command")
    assert check.status == "violation"
    assert check.value == pytest.approx(0.05)


def test_a_track_out_of_reach_is_planned_and_told(desk: Desk) -> None:
    result = desk.plan({"left": sweep([-0.2, 0.0, 0.1], [0.35, 0.0, 0.1])})
    check = found(result, "path error")
    assert check.status == "violation"
    work = result.phases[1]
    assert all(work.start <= a <= b <= work.end for a, b in check.spans)
    assert all(np.isfinite(a.q).all() for a in result.arms)


def test_arms_that_would_meet_are_told_with_the_parts(desk: Desk) -> None:
    meet = {
        "left": sweep([-0.26, 0.0, 0.1], [-0.03, 0.0, 0.1]),
        "right": sweep([0.26, 0.0, 0.1], [0.03, 0.0, 0.1], yaw=np.pi),
    }
    check = found(desk.plan(meet), "arm collision")
    assert check.status == "violation"
    assert "left" in check.text
    assert "right" in check.text


def test_a_jump_in_the_track_is_told_at_its_frames(desk: Desk) -> None:
    path = pair()["left"]
    T = path.T_world_tool.copy()
    T[7:, 1, 3] -= 0.3
    result = desk.plan({"left": ToolPath(path.t, T)})
    check = found(result, "track jump")
    assert check.status == "violation"
    frames = np.interp(check.spans[0], result.t, np.nan_to_num(result.clip_frame))
    np.testing.assert_allclose(frames, [6, 7], atol=0.05)


def test_a_hole_in_the_track_is_pointed_at(desk: Desk) -> None:
    path = pair()["left"]
    kept = [0, 1, 2, 3, 8, 9, 10, 11, 12]
    check = found(desk.plan({"left": ToolPath(path.t[kept], path.T_world_tool[kept])}), "track gap")
    assert check.status == "warning"
    assert check.value == pytest.approx(5 / FPS)


def test_a_plan_that_takes_too_long_is_told(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "MAX_DURATION_S", 10.0)
    check = found(desk.plan({"left": pair()["left"]}), "duration")
    assert check.status == "violation"
    assert check.hint


def test_narrower_joint_limits_of_the_controller_are_planned_within(desk: Desk) -> None:
    narrow = {
        arm: replace(limits, q_lower=np.maximum(limits.q_lower, -1.6), q_upper=np.minimum(limits.q_upper, 2.6))
        for arm, limits in desk.limits.items()
    }
    result = desk.plan(pair(), limits=narrow)
    assert result.violations == ()
    for a in result.arms:
        assert (a.q >= -1.6).all()
        assert (a.q <= 2.6).all()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"paths": {}}, "at least one arm"),
        ({"paths": {"third": sweep([0, 0, 0.1], [0.1, 0, 0.1])}}, "no arm 'third'"),
        ({"limits": {}}, "limits: arm 'left' is missing"),
        ({"tools": {}}, "tools: arm 'left' is missing"),
        ({"q_start": {}}, "q_start: arm 'left' is missing"),
        ({"q_start": {"left": np.zeros(6), "right": np.zeros(7)}}, r"not \(7,\)"),
        ({"q_start": {"left": np.full(7, np.nan), "right": np.zeros(7)}}, "nan"),
        ({"fps": 0.0}, "fps"),
        ({"fps": float("nan")}, "fps"),
        ({"speed_scale": 0.0}, "speed_scale"),
        ({"speed_scale": 1.5}, "speed_scale"),
    ],
)
def test_unusable_input_is_refused_in_words(desk: Desk, change: dict[str, object], words: str) -> None:
    arguments = dict(change)
    paths = arguments.pop("paths", pair())
    with pytest.raises(ValueError, match=words):
        desk.plan(paths, **arguments)  # type: ignore[arg-type]


def test_the_authors_dreams_are_carried_out_on_the_simulated_rig(
    desk: Desk, real_tracks: Mapping[str, Mapping[str, ToolPath]]
) -> None:
    for name, paths in real_tracks.items():
        result = desk.plan(paths, dream=name, emulated_only=True)
        assert result.violations == (), name
        assert result.clamps == (), name


def test_a_plan_that_gives_way_leaves_half_of_its_speed_for_that_and_says_so(desk: Desk, good: Plan) -> None:
    stiff = np.linalg.norm(np.diff(tip(desk, good, "left"), axis=0), axis=1) / (good.t[1] - good.t[0])
    made = desk.plan(pair(), give_way={"left": 20.0})
    speed = np.linalg.norm(np.diff(tip(desk, made, "left"), axis=0), axis=1) / (made.t[1] - made.t[0])
    assert made.violations == ()
    assert made.limits["left"].give_way_force == 20.0
    assert made.limits["right"].give_way_force == np.inf
    assert speed.max() < 0.5 * made.limits["left"].tip_speed < stiff.max()
    assert "more than 20 N" in found(made, "gives way").text
    assert not [check for check in made.checks if check.rule == "gives way" and check.arm == "right"]


@pytest.mark.parametrize(
    ("give_way", "words"),
    [({"left": 70.0}, "valid: 5 to under 60 N"), ({"left": 0.0}, "valid"), ({"third": 20.0}, "has no path")],
)
def test_a_force_that_cannot_be_given_way_to_is_named(desk: Desk, give_way: dict[str, float], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        desk.plan(pair(), give_way=give_way)
