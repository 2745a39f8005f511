"""The tasks by name: how each is laid and judged."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from hardware.rig import Rig
from hardware.types import Camera, require
from hardware.world.tasks import pick_and_place, push_shape, rotation, scooping, sweeping
from hardware.world.tasks.layout import Layout, Moment, Verdict


@dataclass(frozen=True)
class Task:
    """lay(seed, held_out) is a table; judge(layout, moments, view 1's camera) is the success rule over the
    truth; gripper: it is shown with the handheld gripper, and seen by the rig of that."""

    name: str
    lay: Callable[[int, bool], Layout]
    judge: Callable[[Layout, Sequence[Moment], Camera], Verdict]
    rule: str
    gripper: bool = False


TASKS: Mapping[str, Task] = {
    task.name: task
    for task in (
        Task("push-shape", push_shape.lay, push_shape.judge,
             "IoU with the goal's mask in view 1 and heading error, best step"),
        Task("sweeping", sweeping.lay, sweeping.judge, "any particle within 50 mm of the star"),
        Task("rotation", rotation.lay, rotation.judge, "25 degrees counterclockwise, contact kept"),
        Task("scooping", scooping.lay, scooping.judge, "any particle in the bowl that was empty"),
        Task("pick-and-place", pick_and_place.lay, pick_and_place.judge, "the object on the mat, let go of",
             gripper=True),
    )
}  # fmt: skip


def tasks_for(rig: Rig) -> tuple[str, ...]:
    """Return the tasks that a simulated rig is made for: those of the handheld gripper where it has the gripper's
    simulated sensors, else the others."""
    gripper = any(sensor.driver == "sim" for sensor in rig.sensors)
    return tuple(task.name for task in TASKS.values() if task.gripper == gripper)


def lay(task: str, seed: int, held_out: bool = False) -> Layout:
    """Return the table of a task; the same arguments give the same one. Raises ValueError naming the tasks."""
    require(task in TASKS, f"task: {task!r} is not one of {list(TASKS)}")
    return TASKS[task].lay(seed, held_out)


def judge(layout: Layout, moments: Sequence[Moment], camera: Camera) -> Verdict:
    """Hold the published rule of the layout's task against moments in rising time; camera: the rig's first."""
    require(bool(moments), f"{layout.task}: there is no moment to judge")
    return TASKS[layout.task].judge(layout, moments, camera)
