"""Nothing moves without a live approval: of exactly this plan, these arms, this calibration and these limits."""

import pickle
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from hardware import safety
from hardware.connection import Connection, looser_than
from hardware.plan_file import sealed
from hardware.safety import (
    APPROVAL_S,
    GRANT_S,
    Approval,
    ApprovalError,
    EnvelopeApproval,
    MotionGrant,
    PlanApproval,
    approve_envelope,
    approve_plan,
    check_approval,
    grant_motion,
    reasons_against,
    release,
    renew_grant,
)
from hardware.types import ArmLimits, ArmPlan, ArmState, Check, Phase, Plan

NOW = 1000.0
LIMITS = ArmLimits(np.full(7, -6.0), np.full(7, 6.0), np.full(7, 3.0), np.full(7, 20.0))


def connection(arm: str, **changes: object) -> Connection:
    state = ArmState(0.0, np.zeros(7), np.zeros(7), np.eye(4), "servo")
    made = Connection(arm, f"id of {arm}", "rig", True, LIMITS, 1e-5, 1e-4, state)
    return replace(made, **changes)  # type: ignore[arg-type]


def arms(**changes: object) -> dict[str, Connection]:
    return {arm: connection(arm, **changes) for arm in ("left", "right")}


def a_plan(names: tuple[str, ...] = ("left", "right"), **changes: object) -> Plan:
    poses = np.broadcast_to(np.eye(4), (3, 4, 4)).copy()
    made = Plan(
        t=np.arange(3) * 0.01,
        arms=tuple(ArmPlan(name, "xarm7", "brush", np.zeros((3, 7)), poses, poses) for name in names),
        phases=(Phase("work", 0.0, 0.02),),
        clip_frame=np.zeros(3),
        speed_scale=1.0,
        limits=dict.fromkeys(names, LIMITS),
        checks=(Check("tip speed", "ok", "fine"),),
        clamps=(),
        dream="dream",
        track_sha256="",
        rig_sha256="rig",
        emulated_only=False,
    )
    return sealed(replace(made, **changes))  # type: ignore[arg-type]


def approved(plan: Plan, **changes: object) -> PlanApproval:
    arguments: dict[str, object] = {"person": "Ada", "connections": arms(), "now": NOW, **changes}
    return approve_plan(plan, **arguments)  # type: ignore[arg-type]


def test_an_approved_plan_may_run_until_the_approval_expires() -> None:
    plan = a_plan()
    approval = approved(plan)
    check_approval(approval, plan, arms(), NOW)
    check_approval(approval, plan, arms(), NOW + APPROVAL_S - 0.001)
    with pytest.raises(ApprovalError, match=r"expired 0\.0 s ago"):
        check_approval(approval, plan, arms(), NOW + APPROVAL_S)
    with pytest.raises(ApprovalError, match="from the future"):
        check_approval(approval, plan, arms(), NOW - 1.0)
    with pytest.raises(ApprovalError, match="future"):
        check_approval(approval, plan, arms(), float("nan"))


def test_a_servo_process_may_check_its_own_arm_alone() -> None:
    plan = a_plan()
    check_approval(approved(plan), plan, {"left": connection("left")}, NOW)


def test_editing_the_plan_voids_the_approval() -> None:
    plan = a_plan()
    approval = approved(plan)
    q = plan.arms[0].q.copy()
    q[1, 2] += 1e-9
    edited = replace(plan, arms=(replace(plan.arms[0], q=q), plan.arms[1]))
    with pytest.raises(ApprovalError, match="changed after it was made"):
        check_approval(approval, edited, arms(), NOW)
    with pytest.raises(ApprovalError, match="another plan"):
        check_approval(approval, sealed(edited), arms(), NOW)


def test_editing_the_joints_in_place_voids_the_approval() -> None:
    plan = a_plan()
    approval = approved(plan)
    plan.arms[0].q[1, 2] += 1e-9
    with pytest.raises(ApprovalError, match="changed after it was made"):
        check_approval(approval, plan, arms(), NOW)


OTHERS: Mapping[str, tuple[dict[str, object], str]] = {
    "reconnected": ({"id": "another"}, "connected again"),
    "other limits": ({"limits": replace(LIMITS, max_force=50.0)}, "limits changed"),
    "limits from elsewhere": ({"limits": replace(LIMITS, source={"tip_speed": "rig"})}, "limits changed"),
    "other calibration": ({"rig_sha256": "another"}, "different rig files"),
    "bent arm": ({"kinematics_m": 0.0011}, r"differ by 1\.10 mm"),
    "turned tool": ({"kinematics_rad": float(np.radians(0.21))}, r"0\.21 deg"),
    "unknown kinematics": ({"kinematics_m": float("nan")}, "differ"),
}


@pytest.mark.parametrize("what", OTHERS)
def test_another_arm_than_the_approved_one_is_refused(what: str) -> None:
    plan, (changes, words) = a_plan(), OTHERS[what]
    with pytest.raises(ApprovalError, match=words):
        check_approval(approved(plan), plan, arms(**changes), NOW)


def test_an_approval_of_other_arms_is_refused() -> None:
    left, both = a_plan(("left",)), a_plan()
    with pytest.raises(ApprovalError, match="is for left, the plan moves left, right"):
        check_approval(approved(left), both, arms(), NOW)
    with pytest.raises(ApprovalError, match="asked for were other"):
        check_approval(approved(both), both, {"other": connection("other")}, NOW)


def test_another_calibration_of_the_plan_is_refused() -> None:
    plan = a_plan()
    with pytest.raises(ApprovalError, match="another rig file"):
        check_approval(approved(plan), a_plan(rig_sha256="another"), arms(), NOW)


def test_a_changed_scene_voids_the_approval() -> None:
    plan = a_plan()
    approval = approved(plan, scene="cup at the left")
    check_approval(approval, plan, arms(), NOW, scene="cup at the left")
    with pytest.raises(ApprovalError, match="scene changed"):
        check_approval(approval, plan, arms(), NOW, scene="cup at the right")


def test_an_approval_of_a_plan_is_used_once_and_can_be_withdrawn() -> None:
    plan = a_plan()
    approval = approved(plan)
    with pytest.raises(ApprovalError, match="used already"):
        check_approval(approval, plan, arms(), NOW, runs_before=1)
    release(approval)
    with pytest.raises(ApprovalError, match="withdrawn"):
        check_approval(approval, plan, arms(), NOW)


def test_a_plan_with_a_violation_cannot_be_approved() -> None:
    bad = a_plan(checks=(Check("tip speed", "violation", "0.4 of 0.25 m/s", "left", hint="Slow down."),))
    with pytest.raises(ApprovalError, match=r"left: 0\.4 of 0\.25 m/s\. Slow down\."):
        approved(bad)


def test_a_plan_with_looser_limits_than_the_arm_has_cannot_be_approved() -> None:
    fast = a_plan(limits={"left": LIMITS, "right": replace(LIMITS, tip_speed=0.26)})
    with pytest.raises(ApprovalError, match=r"right: planned with other limits than it has: tip_speed 0\.26"):
        approved(fast)
    slow = a_plan(limits=dict.fromkeys(("left", "right"), replace(LIMITS, tip_speed=0.1)))
    check_approval(approved(slow), slow, arms(), NOW)
    with pytest.raises(ApprovalError, match="no limits of it"):
        approved(a_plan(limits={"left": LIMITS}))


@pytest.mark.parametrize(
    ("change", "looser"),
    [
        ({"q_lower": np.full(7, -6.1)}, True),
        ({"q_upper": np.full(7, 6.1)}, True),
        ({"dq_max": np.full(7, 3.1)}, True),
        ({"ddq_max": np.full(7, np.nan)}, True),
        ({"tip_acceleration": 2.1}, True),
        ({"workspace": np.array([[-0.5, -0.5, 0.0], [0.5, 0.5, 0.61]])}, True),
        ({"min_tip_height": 0.004}, True),
        ({"min_singularity": 0.01}, True),
        ({"max_jump_rad": 0.04}, True),
        ({"following_error_rad": 0.2}, True),
        ({"max_force": 61.0}, True),
        ({"q_lower": np.full(7, -5.9), "min_tip_height": 0.01, "max_force": 1.0, "tip_speed": 0.1}, False),
    ],
)
def test_every_limit_counts_in_its_own_direction(change: dict[str, object], looser: bool) -> None:
    assert bool(looser_than(replace(LIMITS, **change), LIMITS)) is looser  # type: ignore[arg-type]


def test_only_emulators_move_without_a_person() -> None:
    plan = a_plan()
    check_approval(approved(plan, person=None), plan, arms(), NOW)
    with pytest.raises(ApprovalError, match="a person must approve"):
        approved(plan, person=None, connections=arms(emulated=False))
    with pytest.raises(ApprovalError, match="a person must approve"):
        check_approval(approved(plan, person=None), plan, arms(emulated=False), NOW)
    with pytest.raises(ApprovalError, match="name of a person"):
        approved(plan, person="  ")
    check_approval(approved(plan, connections=arms(emulated=False)), plan, arms(emulated=False), NOW)


def test_a_dream_of_assumed_placement_moves_emulated_arms_only() -> None:
    plan = a_plan(emulated_only=True)
    check_approval(approved(plan), plan, arms(), NOW)
    with pytest.raises(ApprovalError, match="place is assumed"):
        approved(plan, connections=arms(emulated=False))
    with pytest.raises(ApprovalError, match="place is assumed"):
        check_approval(approved(plan), plan, arms(emulated=False), NOW)


def test_everything_against_an_approval_is_told_at_once() -> None:
    bad = a_plan(checks=(Check("tip speed", "violation", "too fast"),), emulated_only=True, rig_sha256="another")
    told = reasons_against(bad, person=None, connections={"left": connection("left", emulated=False)})
    words = " ".join(told)
    for part in ("too fast", "right: it is not connected", "rig files", "a person must", "place is assumed"):
        assert part in words
    assert reasons_against(a_plan(), person="Ada", connections=arms()) == ()


def test_an_approval_cannot_be_built_or_changed_by_hand() -> None:
    approval = approved(a_plan())
    with pytest.raises(ApprovalError, match="not made by"):
        replace(approval, expires_at=1e9)
    values = {name: getattr(approval, name) for name in PlanApproval.__dataclass_fields__}
    with pytest.raises(ApprovalError, match="not made by"):
        PlanApproval(**{**values, "seal": "0" * 64})
    PlanApproval(**values)


def test_an_approval_that_was_changed_behind_its_back_is_refused() -> None:
    plan = a_plan()
    approval = approved(plan)
    object.__setattr__(approval, "expires_at", 1e9)
    with pytest.raises(ApprovalError, match="changed after"):
        check_approval(approval, plan, arms(), NOW)
    with pytest.raises(ApprovalError, match="str is not an approval"):
        check_approval("yes", plan, arms(), NOW)  # type: ignore[arg-type]


def test_an_approval_of_another_start_of_the_program_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = a_plan()
    sent = pickle.dumps(approved(plan))
    check_approval(pickle.loads(sent), plan, arms(), NOW)  # noqa: S301 - made three lines above
    monkeypatch.setattr(safety, "_key", b"the key of another start")
    with pytest.raises(ApprovalError, match="not made by"):
        check_approval(pickle.loads(sent), plan, arms(), NOW)  # noqa: S301


def an_envelope(**changes: object) -> EnvelopeApproval:
    arguments: dict[str, object] = {
        "person": "Ada",
        "connections": arms(),
        "rig_sha256": "rig",
        "workspace": LIMITS.workspace,
        "tip_speed": 0.1,
        "max_force": 60.0,
        "redreams": 2,
        "duration": 300.0,
        "now": NOW,
        **changes,
    }
    return approve_envelope(**arguments)  # type: ignore[arg-type]


def test_an_envelope_lets_plans_run_that_stay_inside_of_it() -> None:
    slow = dict.fromkeys(("left", "right"), replace(LIMITS, tip_speed=0.1))
    plan, envelope = a_plan(limits=slow), an_envelope()
    for runs in range(3):
        check_approval(envelope, plan, arms(), NOW + 299.0, runs_before=runs)
    with pytest.raises(ApprovalError, match="all 3 approved runs are used"):
        check_approval(envelope, plan, arms(), NOW, runs_before=3)
    with pytest.raises(ApprovalError, match="expired"):
        check_approval(envelope, plan, arms(), NOW + 300.0)
    with pytest.raises(ApprovalError, match=r"outside of the approved envelope: tip_speed 0\.25"):
        check_approval(envelope, a_plan(), arms(), NOW)
    with pytest.raises(ApprovalError, match="envelope: workspace"):
        check_approval(an_envelope(workspace=LIMITS.workspace * 0.9), plan, arms(), NOW)
    with pytest.raises(ApprovalError, match="envelope: max_force"):
        check_approval(an_envelope(max_force=30.0), plan, arms(), NOW)
    check_approval(envelope, a_plan(("left",), limits={"left": slow["left"]}), arms(), NOW)


def test_an_envelope_is_as_strict_about_arms_as_a_plan() -> None:
    plan = a_plan(limits=dict.fromkeys(("left", "right"), replace(LIMITS, tip_speed=0.1)))
    for changes, words in OTHERS.values():
        with pytest.raises(ApprovalError, match=words):
            check_approval(an_envelope(), plan, arms(**changes), NOW)
    with pytest.raises(ApprovalError, match="a person must approve"):
        an_envelope(person=None, connections=arms(emulated=False))
    for bad in ({"tip_speed": 0.0}, {"redreams": -1}, {"duration": 0.0}, {"workspace": np.zeros((2, 3))}):
        with pytest.raises(ValueError, match="envelope"):
            an_envelope(**bad)


def a_grant(**changes: object) -> MotionGrant:
    arguments: dict[str, object] = {
        "person": "Ada",
        "connections": arms(),
        "rig_sha256": "rig",
        "tip_speed": 0.1,
        "now": NOW,
    }
    return grant_motion(**{**arguments, **changes})  # type: ignore[arg-type]


def test_a_motion_grant_lives_while_it_is_renewed_and_ends_on_release() -> None:
    plan = a_plan(limits=dict.fromkeys(("left", "right"), replace(LIMITS, tip_speed=0.1)))
    grant: Approval = a_grant()
    for k in range(10):
        at = NOW + k * GRANT_S * 0.9
        check_approval(grant, plan, arms(), at)
        grant = renew_grant(grant, at)
    last = NOW + 9 * GRANT_S * 0.9
    with pytest.raises(ApprovalError, match="expired"):
        check_approval(grant, plan, arms(), last + GRANT_S)
    with pytest.raises(ApprovalError, match="expired"):
        renew_grant(grant, last + GRANT_S)
    release(grant)
    for act in (lambda: check_approval(grant, plan, arms(), last), lambda: renew_grant(grant, last)):
        with pytest.raises(ApprovalError, match="withdrawn"):
            act()


def test_a_motion_grant_holds_the_speed_that_was_granted() -> None:
    with pytest.raises(ApprovalError, match=r"faster than the granted 0\.1 m/s"):
        check_approval(a_grant(), a_plan(), arms(), NOW)
    with pytest.raises(ValueError, match="tip_speed"):
        a_grant(tip_speed=0.0)


@pytest.mark.parametrize(("forces", "refused"), [("measured", False), ("on demand", False), ("none", True)])
def test_a_plan_that_gives_way_needs_an_arm_that_feels(forces: str, refused: bool) -> None:
    limits = replace(LIMITS, source={"forces": forces})
    plan = a_plan(limits=dict.fromkeys(("left", "right"), replace(limits, give_way_force=20.0)))
    there = arms(limits=limits)
    reasons = reasons_against(plan, person="Ada", connections=there)
    assert bool([reason for reason in reasons if "feels no force" in reason]) is refused
