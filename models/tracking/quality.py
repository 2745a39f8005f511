"""How far the pictures agree with a pose: the figures that confidence is made of."""

from dataclasses import dataclass

import cv2
import numpy as np

from hardware.geometry import Array
from models.tracking.fit import Estimate, Fitter

WELL_SEEN = 0.6  # share of the tool in sight from which a view must agree
ENOUGH_SEEN, UNSEEN = 0.4, 0.05  # share from which a view counts in full; under which it does not see the tool


@dataclass(frozen=True, eq=False)
class Agreement:
    """Per view (V,): explained share of the change that the pose predicts; pattern: correlation -1..1 of what is

    finer than a sixth of the tool; outline: IoU of drawn and seen change around the tool; visible: share of the
    tool that is in the picture and not hidden by skin.
    """

    explained: Array
    pattern: Array
    outline: Array
    visible: Array


def judge(fitter: Fitter, t: int, e: Estimate, level: int = 1) -> Agreement:
    """Return how frame t agrees with an estimate, in every view."""
    n = len(fitter.views)
    explained, pattern, outline, visible = np.zeros(n), np.zeros(n), np.zeros(n), np.zeros(n)
    for v in range(n):
        seen = fitter.look(t, v, e, level)
        if seen is None:
            continue
        picture, drawn, free, cover, in_picture = seen
        explained[v] = e.explained[v] / max(e.expected[v], 1e-9)
        inside = (cover > 0.5) * free
        visible[v] = in_picture * inside.sum() / max((cover > 0.5).sum(), 1)
        extent = np.sqrt(max((cover > 0.5).sum(), 1.0)) / max(np.sqrt(in_picture), 0.1)
        fine = [x - cv2.GaussianBlur(x, (0, 0), max(extent / 6, 1.0)) for x in (picture[..., 0], drawn[..., 0])]
        core = (cv2.erode(cover, np.ones((3, 3))) > 0.9) * free
        a, b = (np.asarray(x)[core > 0.5] for x in fine)
        if len(a) > 10:
            a, b = a - a.mean(), b - b.mean()
            pattern[v] = float(a @ b / np.sqrt((a @ a + 1e-6 * len(a)) * (b @ b + 1e-6 * len(b))))
        near = free > 0.5
        both, either = np.minimum(picture[..., 3], drawn[..., 3]), np.maximum(picture[..., 3], drawn[..., 3])
        outline[v] = float(both[near].sum() / max(either[near].sum(), 1e-6))
    return Agreement(explained, pattern, outline, visible)


def view_strength(a: Agreement, plain: bool) -> Array:
    """Return (V,) 0..1: how well each view agrees, whatever part of the tool it sees."""
    return np.asarray(np.sqrt(a.outline * np.clip(a.explained, 0, 1)) if plain else np.clip(a.pattern, 0, 1))


def strength(a: Agreement, plain: bool) -> float:
    """Return one figure 0..1 of an agreement over all views, each counted as far as it sees the tool."""
    weight = a.visible + 1e-6
    return float((weight * view_strength(a, plain)).sum() / weight.sum())


def weakest(a: Agreement, plain: bool) -> float:
    """Return the strength of the view that agrees least, of those that see the tool well."""
    value = view_strength(a, plain)[a.visible > WELL_SEEN]
    return float(value.min()) if len(value) else strength(a, plain)


def view_confidence(a: Agreement, plain: bool) -> Array:
    """Return (V,) confidence 0..1.

    A view that does not see the tool says nothing against it where two others do; it repeats the worse of those.
    """
    if plain:
        value = np.clip((a.outline * np.clip(a.explained, 0, 1) - 0.2) / 0.5, 0, 1)
    else:
        value = np.clip((a.pattern - 0.4) / 0.5, 0, 1)
    value = value * np.clip(a.visible / ENOUGH_SEEN, 0, 1)
    seeing, blind = a.visible >= ENOUGH_SEEN, a.visible < UNSEEN
    if seeing.sum() > 1:
        value[blind] = value[seeing].min()
    return np.asarray(value)
