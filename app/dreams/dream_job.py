"""Dreaming from a scene: the job of the worker process, where alone the networks are loaded."""

import tempfile
import time
from collections.abc import Callable
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path

from app.dreams.dreaming import WAY_OUT, DreamOrder, Dreamt
from app.worker import Cancel, Cancelled, Report
from hardware.whole_file import write_whole
from models.data.dream_folder import save_dream
from models.data.exchange_pictures import png
from models.data.imports import straight_view
from models.data.photo import write_photo
from models.training.failures import out_of_memory
from models.types import Dream
from models.video.conditioning import Conditioning
from models.video.identity import weights_sha256
from models.video.preview import LatentColours, sheet
from models.video.ready import look, ready_model, usual
from models.video.sample_options import Precision
from models.video.sampler import Candidate, SamplingCancelled, Step, by_view, dream
from models.video.stereo import StereoVideoModel


class NoMemory(RuntimeError):
    """The model does not fit."""


def dream_scene(order: DreamOrder, report: Report, cancelled: Cancelled) -> tuple[Dreamt, ...]:
    """Dream every candidate of an order and write each as a dream folder as soon as it is there.

    Raises Cancel after a cancel, NoMemory with a way out; candidates that are written stay.
    """
    try:
        return _dreamt(order, report, cancelled)
    except SamplingCancelled as error:
        raise Cancel from error
    except (RuntimeError, MemoryError) as error:
        if not out_of_memory(error):
            raise
        _loaded.cache_clear()
        raise NoMemory(f"there is not enough memory for this model: {WAY_OUT}") from error


def _dreamt(order: DreamOrder, report: Report, cancelled: Cancelled) -> tuple[Dreamt, ...]:
    began = time.monotonic()
    report(0.0, "loading the model")
    device, precision = usual(order.device, order.precision)
    model, sha256 = _loaded(order.model.resolve(), _changed(order.model), device, precision, order.compiled)
    loaded = time.monotonic()
    if cancelled():
        raise Cancel
    report(0.0, "looking at the scene")
    conditioning = look(model, order.scene.pictures, order.scene.text)
    seconds = {"load": loaded - began, "encode": time.monotonic() - loaded}
    told = _told(order, model, conditioning, report)
    made: list[Dreamt] = []
    for candidate in dream(model, conditioning, order.options, told, cancelled):
        wrote = time.monotonic()
        how = {"device": device, "precision": precision, "compiled": order.compiled, "weights_sha256": sha256}
        taken = {**seconds, **candidate.seconds}
        _write(order, model, candidate, {**how, "seconds": {k: round(v, 3) for k, v in taken.items()}})
        folder = order.folder(candidate.number)
        made.append(Dreamt(folder, candidate.seed, {**taken, "write": time.monotonic() - wrote}))
        seconds = {"load": 0.0, "encode": 0.0}
    return tuple(made)


@lru_cache(maxsize=1)
def _loaded(
    folder: Path, _changed: int, device: str, precision: Precision, compiled: bool
) -> tuple[StereoVideoModel, str]:
    """Return a model ready to sample and the sha256 of its weights; kept, since people dream again and again."""
    return ready_model(folder, device, precision, compiled), weights_sha256(folder)


def _changed(folder: Path) -> int:
    return max((file.stat().st_mtime_ns for file in folder.rglob("*") if file.is_file()), default=0)


def _told(
    order: DreamOrder, model: StereoVideoModel, conditioning: Conditioning, report: Report
) -> Callable[[Step], None]:
    """Return what is done after each step: say it, and show it where somebody looks."""
    count, config = order.options.candidates, model.config
    own = [next(i for i, (view, _) in enumerate(config.layout) if view == v) for v in range(config.views)]
    colours = LatentColours.fit(conditioning.latents[0, own], order.scene.pictures) if order.preview else None

    def say(step: Step) -> None:
        which = f"dream {step.candidate + 1} of {count}: " if count > 1 else ""
        # decoding counts as one more step
        done = step.candidate + step.step / (step.steps + 1)
        report(done / count, f"{which}step {step.step} of {step.steps}")
        if colours is not None and order.preview is not None:
            pictures = colours.pictures(step.denoised / config.vae.scaling)
            write_whole(order.preview, png(sheet(pictures, config)))

    return say


def _write(order: DreamOrder, model: StereoVideoModel, candidate: Candidate, how: dict[str, object]) -> None:
    scene = order.scene
    frames = by_view(candidate.pictures, scene.pictures, model.config)
    views = tuple(map(straight_view, scene.cameras, scene.T_view1_view, frames))
    made = Dream(
        name=f"{order.name}-{candidate.seed}",
        fps=model.config.fps,
        views=views,
        tools=scene.tools,
        T_world_view1=scene.T_world_view1,
        placement=scene.placement,
        provenance=_provenance(order, model, candidate) | how,
    )
    with tempfile.TemporaryDirectory(prefix="dreamdeck-") as aside:
        photos = {view.name: Path(aside) / f"{view.name}.png" for view in views}
        for file, photo in zip(photos.values(), scene.photos, strict=True):
            write_photo(file, photo)
        save_dream(made, order.folder(candidate.number), scenes=photos)


def _provenance(order: DreamOrder, model: StereoVideoModel, candidate: Candidate) -> dict[str, object]:
    options, config = order.options, model.config
    return {
        "source": "dreamt",
        "model": str(order.model.absolute()),
        "conditioning": config.conditioning,
        "text": order.scene.text,
        "seed": candidate.seed,
        "steps": options.steps,
        "guidance": list(options.guidance),
        "noise_levels": [options.sigma_min, options.sigma_max, options.rho],
        "decode_chunk": options.decode_chunk,
        "dreamt": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "versions": {name: version(name) for name in ("dreamdeck", "torch", "diffusers")},
        "scene": dict(order.scene.origin),
    }
