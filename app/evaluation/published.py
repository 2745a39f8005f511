"""What the paper reports (Dreamitate, arXiv 2406.16862, table 1): real robots, other objects, other conditions."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Published:
    """A policy of the paper on one task: successes of trials, or means by the name of our measure."""

    policy: str
    trials: int
    successes: int | None = None
    means: Mapping[str, float] = field(default_factory=dict)


PUBLISHED: Mapping[str, tuple[Published, ...]] = {
    "push-shape": (
        Published("Dreamitate", 32, means={"iou": 0.731, "rotation_error_deg": 8.0}),
        Published("Diffusion Policy", 32, means={"iou": 0.550, "rotation_error_deg": 48.2}),
    ),
    "rotation": (Published("Dreamitate", 40, 37), Published("Diffusion Policy", 40, 22)),
    "sweeping": (Published("Dreamitate", 40, 37), Published("Diffusion Policy", 40, 5)),
    "scooping": (Published("Dreamitate", 40, 34), Published("Diffusion Policy", 40, 22)),
}

PUBLISHED_RIGS: Mapping[str, str] = {
    "push-shape": "sim-ur5e", "sweeping": "sim-ur5e", "rotation": "sim", "scooping": "sim",
}  # fmt: skip
"""Which built-in rig has arms of the make that the paper gives each task (UR5; xArm 7)."""
