"""A recording plan as a person writes it: words with commas between; remembered from one start to the next."""

import json
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path

from app.recording.plan import Choice, RecordingPlan
from hardware.whole_file import write_whole

MOST_CHOICES = 1000


@dataclass(frozen=True)
class PlanWords:
    """tasks, objects, conditions: with commas between; instruction: may name {task}, {object} and {condition};
    used: takes are sampled from it."""

    tasks: str = ""
    objects: str = ""
    conditions: str = ""
    instruction: str = ""
    goal: int = 50
    used: bool = False


def plan_of(words: PlanWords, *, lays_tables: bool) -> RecordingPlan:
    """Return every task with every object and condition. lays_tables: a simulated table says what lies on it, so
    that tasks alone are sampled. Raises ValueError naming what is missing."""
    tasks = listed(words.tasks)
    if not tasks:
        raise ValueError("plan: tasks: there are none; valid: names with commas between, such as push, sweep")
    objects, conditions = listed(words.objects) or ("",), listed(words.conditions) or ("",)
    if lays_tables:
        return RecordingPlan(tuple(Choice(task) for task in tasks), words.goal)
    count = len(tasks) * len(objects) * len(conditions)
    if count > MOST_CHOICES:
        raise ValueError(f"plan: {count} combinations; valid: up to {MOST_CHOICES}")
    told = [_told(words.instruction, *each) for each in product(tasks, objects, conditions)]
    return RecordingPlan(tuple(told), words.goal)


def listed(text: str) -> tuple[str, ...]:
    """Return the words between commas, each once."""
    return tuple(dict.fromkeys(filter(None, (word.strip() for word in text.split(",")))))


def read_plan_words(path: Path) -> PlanWords:
    """Read what was remembered; a file that is missing or broken is as good as none."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        texts = {name: str(values[name]) for name in ("tasks", "objects", "conditions", "instruction")}
        return PlanWords(**texts, goal=max(1, int(values["goal"])), used=values["used"] is True)
    except (OSError, ValueError, TypeError, KeyError):
        return PlanWords()


def write_plan_words(path: Path, words: PlanWords) -> None:
    """Raises OSError."""
    write_whole(path, json.dumps(asdict(words), indent=1) + "\n")


def _told(instruction: str, task: str, thing: str, condition: str) -> Choice:
    for name, word in (("{task}", task), ("{object}", thing), ("{condition}", condition)):
        instruction = instruction.replace(name, word)
    return Choice(task, thing, condition, instruction.strip())
