"""Trials as an evaluation would leave them."""

from app.evaluation.trials import Link, Policy, Step, Trial


def trial(
    policy: Policy = "oracle", number: int = 0, iou: float = 0.5, *, links: tuple[Link, ...] = ("",)
) -> Trial:
    """A push-shape trial that succeeds from the published IoU on; links: who lost each of its steps."""
    measures = {"iou": iou, "rotation_error_deg": 60 * (1 - iou)}
    success = iou >= 0.73
    steps = tuple(
        Step(success, measures, link, f"why {link}" if link else "", {"track": 2.0 + k})
        for k, link in enumerate(links)
    )
    return Trial(policy, number, 7 + number, ("digit 4",), success, measures, f"IoU {iou}", steps, 10.0)
