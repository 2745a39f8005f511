"""Figures about dreams: what is equal counts as equal, what is worse counts as worse, and the scale is right."""

import numpy as np
import pytest

from hardware.geometry import Array, rotation_from_vector, transform
from hardware.types import Image
from models.evaluation.metrics import psnr, ssim, tool_agreement, track_agreement
from models.types import Dream, PoseSource, ToolTrack, Track
from tests.models.tracking.synthetic import clip, path, wedge

FRAMES = 5


def pictures(count: int = 2) -> Image:
    rng = np.random.default_rng(0)
    smooth = np.cumsum(rng.normal(0, 4, (count, 24, 32, 3)), axis=2) + 128
    return np.asarray(smooth.clip(0, 255), np.uint8)


def noisy(frames: Image, sigma: float) -> Image:
    noise = np.random.default_rng(1).normal(0, sigma, frames.shape)
    return np.asarray((frames + noise).clip(0, 255).round(), np.uint8)


def test_equal_pictures_are_equal() -> None:
    frames = pictures()
    assert np.isinf(psnr(frames, frames)).all()
    assert ssim(frames, frames) == pytest.approx(np.ones(2))


def test_psnr_of_a_known_error() -> None:
    frames = np.full((3, 8, 8, 3), 100, np.uint8)
    assert psnr(frames, frames + np.uint8(10)) == pytest.approx(np.full(3, 20 * np.log10(255 / 10)))
    assert psnr(frames[0], frames[0] + np.uint8(1)).shape == ()


def test_more_noise_is_less_alike() -> None:
    frames = pictures()
    levels = [(psnr(frames, noisy(frames, s)).mean(), ssim(frames, noisy(frames, s)).mean()) for s in (2, 8, 30)]
    assert levels == sorted(levels, reverse=True)


def test_ssim_is_that_of_the_paper() -> None:
    a = pictures(1)[0][:11, :11]
    b = noisy(a, 12)
    r = np.arange(11) - 5
    window = np.exp(-(r[:, None] ** 2 + r**2) / (2 * 1.5**2))
    window = (window / window.sum())[..., None]
    x, y = a.astype(float), b.astype(float)
    mx, my = (window * x).sum((0, 1)), (window * y).sum((0, 1))
    sx, sy = (window * (x - mx) ** 2).sum((0, 1)), (window * (y - my) ** 2).sum((0, 1))
    sxy = (window * (x - mx) * (y - my)).sum((0, 1))
    c1, c2 = 2.55**2, 7.65**2
    direct = (2 * mx * my + c1) * (2 * sxy + c2) / ((mx**2 + my**2 + c1) * (sx + sy + c2))
    assert float(ssim(a, b)) == pytest.approx(direct.mean())


@pytest.mark.parametrize("other", [np.zeros((24, 32, 3)), np.zeros((2, 24, 16, 3), np.uint8)])
def test_pictures_that_cannot_be_compared_are_refused(other: Image) -> None:
    with pytest.raises(ValueError, match="valid: two of"):
        psnr(pictures(), other)
    with pytest.raises(ValueError, match="11x11 or more"):
        ssim(pictures()[:, :8], pictures()[:, :8])


@pytest.fixture(scope="module")
def scene() -> tuple[Dream, Array]:
    poses = path(FRAMES, np.array([0.02, 0.01, 0.6]), np.array([0.004, 0.0, 0.002]), 0.05)
    return clip({"tool": wedge()}, {"tool": poses}, hand=False), poses


def track(poses: Array, lost: tuple[int, ...] = (), apart_px: float = 0.0, confidence: float = 0.9) -> ToolTrack:
    n = len(poses)
    source: tuple[PoseSource, ...] = tuple("lost" if t in lost else "tracked" for t in range(n))
    gone = np.isin(np.arange(n), lost)
    T = np.where(gone[:, None, None], np.nan, poses)
    return ToolTrack("tool", T, np.full((n, 2), confidence), np.where(gone, np.nan, -apart_px), source)


def test_a_dream_that_goes_elsewhere_is_told_by_how_far(scene: tuple[Dream, Array]) -> None:
    dream, poses = scene
    moved = transform(np.eye(3), [0.01, 0, 0]) @ poses @ transform(rotation_from_vector([0, 0, 0.1]), np.zeros(3))
    told = tool_agreement(dream, dream.tools["tool"], track(moved, apart_px=3.0, confidence=0.7), track(poses))
    assert told.followed == 1.0
    assert told.position_mm == pytest.approx(10.0, abs=0.5)
    assert told.rotation_deg == pytest.approx(np.degrees(0.1))
    assert (told.confidence, told.disagreement_px, told.shown_disagreement_px) == (pytest.approx(0.7), 3.0, 0.0)


def test_a_tool_that_vanishes_is_not_followed(scene: tuple[Dream, Array]) -> None:
    dream, poses = scene
    told = tool_agreement(dream, dream.tools["tool"], track(poses, lost=(2, 3)), track(poses, lost=(0,)))
    assert told.followed == 0.5
    gone = tool_agreement(dream, dream.tools["tool"], track(poses, lost=tuple(range(FRAMES))), track(poses))
    assert gone.followed == 0.0
    assert np.isnan([gone.position_mm, gone.confidence, gone.disagreement_px]).all()


def test_a_tool_that_was_not_tracked_is_refused(scene: tuple[Dream, Array]) -> None:
    dream, poses = scene
    whole = Track("dream", {"tool": track(poses)})
    assert track_agreement(dream, whole, whole)["tool"].values()["position_mm"] == 0.0
    with pytest.raises(ValueError, match="shown track: no"):
        track_agreement(dream, whole, Track("demo", {}))
