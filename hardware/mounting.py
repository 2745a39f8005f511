"""Which arm carries which tool of a dream: by a person's word, by role, by the rig file, else by where it works."""

from collections.abc import Mapping

import numpy as np

from hardware.geometry import Array, apply
from hardware.rig import ArmConfig, Rig
from hardware.tools import BUILT_IN_TOOLS, load_tool
from hardware.types import ArmPlan, Tool


def default_tools(rig: Rig) -> dict[str, Tool]:
    """Return by the arms' roles what they carry while no dream says otherwise.

    The tool that the rig file names, else the rotation gripper of the role; nothing for other roles.
    """
    wanted = {arm.role: arm.tool or f"rotation_gripper_{arm.role}" for arm in rig.arms}
    return {role: load_tool(BUILT_IN_TOOLS[name]) for role, name in wanted.items() if name in BUILT_IN_TOOLS}


def carriers(
    rig: Rig,
    tools: Mapping[str, Tool],
    wanted: Mapping[str, str] | None = None,
    places: Mapping[str, Array] | None = None,
) -> dict[str, str]:
    """Return the arm's name by the dream's role, for all of the dream's tools.

    First what is wanted (role -> arm), then arms of the same role, then arms whose tool in the rig file it is; the
    others go to the free arm whose base is nearest to their place (3,) in world [m], else in the rig's order.
    Raises ValueError naming the tool or arm, and what is valid.
    """
    chosen = dict(wanted or {})
    _refuse(rig, tools, chosen)

    def free() -> list[ArmConfig]:
        return [arm for arm in rig.arms if arm.name not in chosen.values()]

    names = {role: tool.name for role, tool in tools.items()}
    for of_arm, of_tool in (("role", {role: role for role in tools}), ("tool", names)):
        for role in tools:
            found = [arm for arm in free() if getattr(arm, of_arm) == of_tool[role]]
            if role not in chosen and found:
                chosen[role] = found[0].name
    for role in tools:
        if role in chosen:
            continue
        left = free()
        if not left:
            carried = ", ".join(f"{arm}: {tools[other].name}" for other, arm in chosen.items())
            raise ValueError(
                f"tool {role} ({tools[role].name}): no arm of rig {rig.name} is left to carry it ({carried}); "
                f"valid: at most {len(rig.arms)} tools"
            )
        place = (places or {}).get(role)
        chosen[role] = min(left, key=lambda arm: 0.0 if place is None else _away(arm, place)).name
    return chosen


def mounted(rig: Rig, tools: Mapping[str, Tool], carried: Mapping[str, str]) -> dict[str, Tool]:
    """Return by the arms' roles what they carry: the dream's tools by `carriers`, the other arms their default."""
    own = {rig.arm(arm).role: tools[role] for role, arm in carried.items()}
    return {**default_tools(rig), **own}


def mounted_for(rig: Rig, tools: Mapping[str, Tool], arms: tuple[ArmPlan, ...]) -> dict[str, Tool]:
    """Return by the arms' roles what they must carry for a plan's arms; tools by the dream's role.

    Where a plan's tool is not among the tools, or there is no plan, `carriers` decides. Too many tools: the first.
    """
    by_name = {tool.name: role for role, tool in tools.items()}
    wanted = {by_name[arm.tool]: arm.arm for arm in arms if arm.tool in by_name}
    known = {arm.name for arm in rig.arms}
    wanted = {role: arm for role, arm in wanted.items() if arm in known}
    first = [*wanted, *(role for role in tools if role not in wanted)][: len(rig.arms)]
    fitting = {role: tools[role] for role in tools if role in first}
    return mounted(rig, fitting, carriers(rig, fitting, wanted))


def centre_in_flange(tool: Tool) -> Array:
    """Return a tool's centre of mass (3,) [m] in the flange frame; half way to it where nobody knows."""
    if tool.centre_of_mass is None:
        return np.asarray(0.5 * tool.T_flange_tool[:3, 3])
    return np.asarray(apply(tool.T_flange_tool, tool.centre_of_mass[None])[0])


def _away(arm: ArmConfig, place: Array) -> float:
    return float(np.linalg.norm(arm.T_world_base[:2, 3] - place[:2]))


def _refuse(rig: Rig, tools: Mapping[str, Tool], wanted: Mapping[str, str]) -> None:
    arms = [arm.name for arm in rig.arms]
    for role, arm in wanted.items():
        if role not in tools:
            raise ValueError(f"tool {role!r}: the dream has no such tool; valid: {', '.join(sorted(tools))}")
        if arm not in arms:
            raise ValueError(f"tool {role}: rig {rig.name} has no arm {arm!r}; valid: {', '.join(arms)}")
    twice = sorted({arm for arm in wanted.values() if list(wanted.values()).count(arm) > 1})
    if twice:
        raise ValueError(f"arm {twice[0]}: it cannot carry two tools; valid: one tool an arm")
