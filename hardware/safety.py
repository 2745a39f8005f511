"""Approvals: without a live one nothing reaches an arm, and only this module can make one (DESIGN, rules 1 and 7).

Three kinds, checked by the same code. An approval carries a seal (HMAC-SHA256) over all its fields under a key that
is drawn when the program starts and is handed to the servo processes alone; one that was built by hand, copied with
other values or kept from another start does not verify. This guards against mistakes, of people and of programs. It
does not guard against hostile code in the same process, which can read the key, nor against whoever holds the file.

Longer than most files on purpose: the key, the kinds and what holds of them are to be read in one place.
"""

import hashlib
import hmac
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import TypeVar

from hardware.connection import (
    MAX_KINEMATICS_M,
    MAX_KINEMATICS_RAD,
    Connection,
    looser_than,
    reasons_of_arms,
    reasons_of_limits,
)
from hardware.geometry import Array
from hardware.plan_file import canonical_json, plan_sha256, sha256_of
from hardware.types import Plan, require

__all__ = [
    "APPROVAL_S",
    "GRANT_S",
    "MAX_KINEMATICS_M",
    "MAX_KINEMATICS_RAD",
    "Approval",
    "ApprovalError",
    "Connection",
    "EnvelopeApproval",
    "MotionGrant",
    "PlanApproval",
    "approve_envelope",
    "approve_plan",
    "check_approval",
    "check_grant",
    "grant_motion",
    "join_session",
    "reasons_against",
    "release",
    "renew_grant",
    "session_key",
]

APPROVAL_S = 120.0
GRANT_S = 0.3
_key = secrets.token_bytes(32)
_released: set[str] = set()


class ApprovalError(RuntimeError):
    """An approval was refused or does not hold; the message says why and what to do."""


@dataclass(frozen=True, eq=False)
class _Sealed:
    """What all approvals have: who gave it ("" for nobody, emulated arms only), when and until when [s, host
    monotonic], for which arms, calibration, limits (hash by arm) and connections (id by arm)."""

    person: str
    approved_at: float
    expires_at: float
    arms: tuple[str, ...]
    rig_sha256: str
    limits_sha256: Mapping[str, str]
    connections: Mapping[str, str]
    id: str
    seal: str

    def __post_init__(self) -> None:
        _verify_seal(self)


@dataclass(frozen=True, eq=False)
class PlanApproval(_Sealed):
    """Leave to run exactly one plan, once, in the scene in which it was seen."""

    plan_sha256: str
    scene: str


@dataclass(frozen=True, eq=False)
class EnvelopeApproval(_Sealed):
    """Leave to run plans whose own limits stay within these, `runs` times (first dream and re-dreams)."""

    workspace: Array
    tip_speed: float
    max_force: float
    runs: int


@dataclass(frozen=True, eq=False)
class MotionGrant(_Sealed):
    """Leave to move while a person holds a control. It lapses GRANT_S after its last renewal."""

    tip_speed: float


Approval = PlanApproval | EnvelopeApproval | MotionGrant
_A = TypeVar("_A", PlanApproval, EnvelopeApproval, MotionGrant)


def approve_plan(
    plan: Plan,
    *,
    person: str | None,
    connections: Mapping[str, Connection],
    now: float,
    scene: str = "",
) -> PlanApproval:
    """Approve exactly this plan for APPROVAL_S seconds. Raises ApprovalError naming the first reason against it.

    connections: of every arm of the plan, as ArmGroup.connect returned them. person None: nobody was asked, which
    only verified emulators allow. scene: what stands on the table, in any words; the start must give the same.
    """
    _refuse(reasons_against(plan, person=person, connections=connections))
    common = _common(person, connections, _arms(plan), plan.rig_sha256, now, APPROVAL_S)
    return _seal(PlanApproval, {**common, "plan_sha256": plan.sha256, "scene": scene})


def reasons_against(plan: Plan, *, person: str | None, connections: Mapping[str, Connection]) -> tuple[str, ...]:
    """Return every reason, in sentences, why this plan may not be approved now; empty when it may."""
    return (
        *_reasons_of_plan(plan),
        *reasons_of_arms(_arms(plan), plan.rig_sha256, person, connections),
        *reasons_of_limits(plan, connections, plan.emulated_only),
    )


def approve_envelope(
    *,
    person: str | None,
    connections: Mapping[str, Connection],
    rig_sha256: str,
    workspace: Array,
    tip_speed: float,
    max_force: float,
    redreams: int,
    duration: float,
    now: float,
) -> EnvelopeApproval:
    """Approve a first dream and `redreams` more within these bounds for `duration` [s].

    workspace (2, 3) [m] in world; tip_speed [m/s]; max_force [N]. Raises ApprovalError, ValueError.
    """
    require(workspace.shape == (2, 3), f"envelope: workspace has shape {workspace.shape}, not (2, 3)")
    require(bool((workspace[0] < workspace[1]).all()), f"envelope: workspace {workspace.tolist()} is empty")
    require(
        tip_speed > 0 and max_force > 0, f"envelope: tip_speed {tip_speed} and max_force {max_force} must be > 0"
    )
    require(redreams >= 0, f"envelope: redreams {redreams} is negative")
    require(0 < duration <= 3600, f"envelope: duration {duration} s is not in 0..3600")
    arms = tuple(sorted(connections))
    _refuse(reasons_of_arms(arms, rig_sha256, person, connections))
    own = {"workspace": workspace.copy(), "tip_speed": tip_speed, "max_force": max_force, "runs": redreams + 1}
    return _seal(EnvelopeApproval, {**_common(person, connections, arms, rig_sha256, now, duration), **own})


def grant_motion(
    *,
    person: str | None,
    connections: Mapping[str, Connection],
    rig_sha256: str,
    tip_speed: float,
    now: float,
) -> MotionGrant:
    """Grant hold-to-run motion up to tip_speed [m/s]: renew it while the control is held, release it after.

    Raises ApprovalError, ValueError.
    """
    require(tip_speed > 0, f"grant: tip_speed {tip_speed} m/s is not positive")
    arms = tuple(sorted(connections))
    _refuse(reasons_of_arms(arms, rig_sha256, person, connections))
    common = _common(person, connections, arms, rig_sha256, now, GRANT_S)
    return _seal(MotionGrant, {**common, "tip_speed": tip_speed})


def renew_grant(grant: MotionGrant, now: float) -> MotionGrant:
    """Return the grant for GRANT_S more. Raises ApprovalError where it lapsed or was released: ask again then."""
    _refuse(_reasons_of_time(grant, now))
    _verify_seal(grant)
    values = {name: value for name, value in _values(grant).items() if name != "seal"}
    return _seal(MotionGrant, {**values, "expires_at": now + GRANT_S})


def release(approval: Approval) -> None:
    """End an approval before its time: the control was let go, the person changed their mind."""
    _released.add(approval.id)


def check_approval(
    approval: Approval,
    plan: Plan,
    connections: Mapping[str, Connection],
    now: float,
    *,
    scene: str = "",
    runs_before: int = 0,
) -> None:
    """Raise ApprovalError with the reason unless the approval lets this plan run now on these arms.

    connections: of those arms that the caller answers for, with their limits read back just now: all arms in the
    window's process, its own arm in a servo process. runs_before: how often this approval was used.
    """
    if not isinstance(approval, (PlanApproval, EnvelopeApproval, MotionGrant)):
        raise ApprovalError(f"{type(approval).__name__} is not an approval; ask for one")
    _verify_seal(approval)
    mine = {arm: connection for arm, connection in connections.items() if arm in _arms(plan)}
    if not mine:
        raise ApprovalError(f"the plan moves {_words(_arms(plan))}; asked for were {_words(connections)}")
    _refuse(_reasons_of_time(approval, now))
    _refuse(_reasons_of_plan(plan))
    _refuse(_reasons_of_identity(approval, plan, mine))
    _refuse(_reasons_of_kind(approval, plan, scene, runs_before))
    _refuse(reasons_of_arms(tuple(mine), approval.rig_sha256, approval.person or None, mine))
    _refuse(reasons_of_limits(plan, mine, plan.emulated_only, tuple(mine)))


def check_grant(grant: MotionGrant, connection: Connection, now: float) -> None:
    """Raise ApprovalError with the reason unless the grant lets this arm be moved by a held control now."""
    if not isinstance(grant, MotionGrant):
        raise ApprovalError(f"{type(grant).__name__} is not a motion grant; hold the control again")
    _verify_seal(grant)
    _refuse(_reasons_of_time(grant, now))
    if connection.arm not in grant.arms or grant.rig_sha256 != connection.rig_sha256:
        raise ApprovalError(f"the grant is for {_words(grant.arms)} of another rig; hold the control again")
    _refuse(_reasons_of_connection(grant, {connection.arm: connection}))
    _refuse(
        reasons_of_arms((connection.arm,), grant.rig_sha256, grant.person or None, {connection.arm: connection})
    )


def session_key() -> bytes:
    """The key of the seals: for the start of a servo process and nothing else."""
    return _key


def join_session(key: bytes) -> None:
    """Take over the key of the process that started this one. Servo processes call it once, first thing."""
    global _key
    _key = key


def _refuse(reasons: Sequence[str]) -> None:
    if reasons:
        raise ApprovalError(reasons[0])


def _arms(plan: Plan) -> tuple[str, ...]:
    return tuple(arm.arm for arm in plan.arms)


def _reasons_of_plan(plan: Plan) -> list[str]:
    names, found = _arms(plan), []
    if plan.sha256 != plan_sha256(plan):
        found.append("the plan was changed after it was made: its sha256 does not fit; plan again")
    if len(set(names)) != len(names):
        found.append(f"the plan names an arm twice: {_words(names)}")
    found += [f"{check.arm or 'plan'}: {check.text}. {check.hint}".strip() for check in plan.violations]
    return found


def _reasons_of_time(approval: Approval, now: float) -> list[str]:
    if approval.id in _released:
        return ["the approval was withdrawn; approve again"]
    if not now >= approval.approved_at:
        return ["the approval is from the future: the clock went back; approve again"]
    if not now < approval.expires_at:
        held = approval.expires_at - approval.approved_at
        return [
            f"the approval expired {now - approval.expires_at:.1f} s ago (it holds {held:.3g} s); approve again"
        ]
    return []


def _reasons_of_identity(approval: Approval, plan: Plan, connections: Mapping[str, Connection]) -> list[str]:
    found = []
    if set(_arms(plan)) - set(approval.arms):
        found.append(f"the approval is for {_words(approval.arms)}, the plan moves {_words(_arms(plan))}")
    if plan.rig_sha256 != approval.rig_sha256:
        found.append("the approval is for another rig file (calibration); plan and approve again")
    return found + _reasons_of_connection(approval, connections)


def _reasons_of_connection(approval: Approval, connections: Mapping[str, Connection]) -> list[str]:
    found = []
    for arm, connection in connections.items():
        if approval.connections.get(arm) != connection.id:
            found.append(f"{arm}: it was connected again after the approval; approve again")
        if approval.limits_sha256.get(arm) != sha256_of(connection.limits):
            found.append(f"{arm}: its limits changed after the approval; plan and approve again")
    return found


def _reasons_of_kind(approval: Approval, plan: Plan, scene: str, runs_before: int) -> list[str]:
    if isinstance(approval, PlanApproval):
        found = []
        if approval.plan_sha256 != plan.sha256:
            found.append("the approval is for another plan; approve this one")
        if approval.scene != scene:
            found.append(f"the scene changed after the approval ({approval.scene!r}, now {scene!r}); approve again")
        if set(_arms(plan)) != set(approval.arms):
            found.append(f"the approval is for {_words(approval.arms)}, the plan moves {_words(_arms(plan))}")
        return found if found or runs_before < 1 else ["the approval was used already; approve again"]
    if isinstance(approval, EnvelopeApproval):
        found = (
            [] if runs_before < approval.runs else [f"all {approval.runs} approved runs are used; approve again"]
        )
        for arm, limits in plan.limits.items():
            bound = replace(
                limits, workspace=approval.workspace, tip_speed=approval.tip_speed, max_force=approval.max_force
            )
            found += [f"{arm}: outside of the approved envelope: {words}" for words in looser_than(limits, bound)]
        return found
    too_fast = [arm for arm, limits in plan.limits.items() if limits.tip_speed > approval.tip_speed]
    return [f"{arm}: faster than the granted {approval.tip_speed} m/s" for arm in too_fast]


def _common(
    person: str | None,
    connections: Mapping[str, Connection],
    arms: Sequence[str],
    rig_sha256: str,
    now: float,
    duration: float,
) -> dict[str, object]:
    return {
        "person": person or "",
        "approved_at": now,
        "expires_at": now + duration,
        "arms": tuple(arms),
        "rig_sha256": rig_sha256,
        "limits_sha256": {arm: sha256_of(connections[arm].limits) for arm in arms},
        "connections": {arm: connections[arm].id for arm in arms},
        "id": secrets.token_hex(16),
    }


def _values(approval: Approval) -> dict[str, object]:
    return {field.name: getattr(approval, field.name) for field in fields(approval)}


def _seal(kind: type[_A], values: dict[str, object]) -> _A:
    return kind(**values, seal=_signature(kind, values))  # type: ignore[arg-type]


def _signature(kind: type, values: Mapping[str, object]) -> str:
    text = canonical_json({"kind": kind.__name__, **values})
    return hmac.new(_key, text.encode(), hashlib.sha256).hexdigest()


def _verify_seal(approval: "_Sealed") -> None:
    values = {field.name: getattr(approval, field.name) for field in fields(approval)}
    seal = str(values.pop("seal"))
    if not hmac.compare_digest(seal, _signature(type(approval), values)):
        raise ApprovalError("this approval was not made by hardware/safety.py, or was changed after; ask for one")


def _words(names: object) -> str:
    return ", ".join(sorted(str(name) for name in names)) or "no arm"  # type: ignore[attr-defined]
