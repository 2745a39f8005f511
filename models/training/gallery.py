"""Held-out scenes while a run trains: dreamt (or, by the picture coder, copied), beside what really happened."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from PIL import Image as Pillow

from hardware.types import Image
from hardware.whole_file import write_whole
from models.data.text_files import to_json
from models.evaluation.metrics import psnr, ssim
from models.training.config import GallerySettings
from models.training.data import Clip
from models.training.gallery_tracks import TrackFigures
from models.training.latents import Encoded, as_batch
from models.video.config import VideoConfig
from models.video.sample_options import SampleOptions
from models.video.sampler import by_view, dream
from models.video.stereo import StereoVideoModel

WIDEST = 2600  # of a sheet [px]
METRICS = "metrics.json"
Pictured = Callable[[Clip], Image]


@dataclass(frozen=True)
class Sheet:
    """One scene. file: its picture, for each view what happened over what was dreamt, time to the right."""

    demo: str
    number: int
    file: Path
    size: tuple[int, int]
    values: Mapping[str, float]


def dreamer(
    model: StereoVideoModel,
    loaded: Callable[[Clip], Encoded],
    settings: GallerySettings,
    cancelled: Callable[[], bool],
) -> Pictured:
    """Return what dreams a clip's pictures (F, H, W, 3) from its scenes. It raises SamplingCancelled."""
    options = SampleOptions(
        steps=settings.steps,
        seed=settings.seed,
        guidance=(settings.guidance, settings.guidance),
        decode_chunk=settings.decode_chunk,
        sigma_max=settings.sigma_max,
    )

    def pictures(clip: Clip) -> Image:
        _, told = as_batch([loaded(clip)], model.config, model.device)
        return next(iter(dream(model, told, options, None, cancelled))).pictures

    return pictures


def copier(model: StereoVideoModel, settings: GallerySettings) -> Pictured:
    """Return what codes a clip's pictures and decodes them again."""

    def pictures(clip: Clip) -> Image:
        shown = torch.from_numpy(clip.sample().frames[None]).to(model.device)
        return np.asarray(model.decode(model.latents(shown), settings.decode_chunk)[0].cpu().numpy())

    return pictures


def draw_gallery(
    folder: Path, clips: Sequence[Clip], pictured: Pictured, config: VideoConfig, tracks: TrackFigures | None = None
) -> list[Sheet]:
    """Write a picture of each clip and `metrics.json` into a folder; tracks: follows tools too. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    sheets = [_sheet(folder, clip, pictured(clip), config, tracks) for clip in clips]
    scenes = [{"demo": s.demo, "number": s.number, "picture": s.file.name, **s.values} for s in sheets]
    write_whole(folder / METRICS, to_json({"scenes": scenes, "mean": mean_values(sheets)}))
    return sheets


def mean_values(sheets: Sequence[Sheet]) -> dict[str, float]:
    """Return the mean of each value over the scenes in which it is known."""
    names = dict.fromkeys(name for sheet in sheets for name in sheet.values)
    found = {name: [sheet.values.get(name, math.nan) for sheet in sheets] for name in names}
    known = {name: [v for v in values if math.isfinite(v)] for name, values in found.items()}
    return {name: float(np.mean(values)) for name, values in known.items() if values}


def agreement(dreamt: Image, shown: Image, scene: Image) -> dict[str, float]:
    """Return PSNR [dB] and SSIM of a dream (V, T, H, W, 3) after t0; still_psnr: of the scene (V, H, W, 3) alone.

    A dream that moves nothing scores still_psnr; equal pictures count as 100 dB.
    """
    still = np.broadcast_to(scene[:, None], shown.shape)[:, 1:]
    dreamt, shown = dreamt[:, 1:], shown[:, 1:]
    return {
        "psnr": float(np.minimum(psnr(dreamt, shown), 100).mean()),
        "ssim": float(ssim(dreamt, shown).mean()),
        "still_psnr": float(np.minimum(psnr(np.ascontiguousarray(still), shown), 100).mean()),
    }


def _sheet(folder: Path, clip: Clip, pictures: Image, config: VideoConfig, tracks: TrackFigures | None) -> Sheet:
    sample = clip.sample()
    scene = sample.conditioning
    shown = by_view(sample.frames, scene, config)
    dreamt = by_view(pictures, scene, config)
    rows = [_row(frames[view]) for view in range(config.views) for frames in (shown, dreamt)]
    sheet = _shrunk(np.concatenate(rows))
    file = folder / f"{clip.name}.png"
    Pillow.fromarray(sheet).save(file, format="PNG")
    values = agreement(dreamt, shown, scene)
    if tracks is not None:
        values |= tracks.of(clip.key, sample, shown, dreamt)
    return Sheet(clip.demo, clip.number, file, (sheet.shape[1], sheet.shape[0]), values)


def _row(frames: Image) -> Image:
    """Return pictures (T, H, W, 3) side by side (H, T * W, 3)."""
    return np.concatenate(list(frames), axis=1)


def _shrunk(sheet: Image) -> Image:
    share = WIDEST / sheet.shape[1]
    if share >= 1:
        return sheet
    return np.asarray(cv2.resize(sheet, None, fx=share, fy=share, interpolation=cv2.INTER_AREA))
