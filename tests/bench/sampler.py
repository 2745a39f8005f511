"""`make bench-sampler`: dreams of the full architecture (random weights) against the stock diffusers pipeline on a
GPU, and steps of a small model on the CPU. Without a GPU the first part says "not run: no GPU"."""

import os
import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import numpy as np
import torch
from diffusers import StableVideoDiffusionPipeline
from PIL import Image as Pictures
from torch.utils.flop_counter import FlopCounterMode
from transformers import CLIPImageProcessor

from hardware.types import Image
from models.data.clips import TimeIds
from models.evaluation.metrics import psnr
from models.video.conditioning import Conditioning
from models.video.config import PUBLISHED, VideoConfig, small
from models.video.networks import build_scheduler
from models.video.sample_options import SampleOptions
from models.video.sampler import Candidate, dream, start
from models.video.sampler_speed import speed_up
from models.video.stereo import StereoVideoModel

NO_GPU = "not run: no GPU"
OPTIONS = SampleOptions(steps=30, seed=0, decode_chunk=8)
NO_NOISE = TimeIds(6, 200, 0.0)  # on the condition, which the two draw differently
# dense float16 with float32 sums, FLOP/s, by a part of the device's name
LIMITS = {"H200": 989e12, "H100": 989e12, "A100": 312e12, "L40S": 362e12, "4090": 165e12}
CPU_STEPS = 3


def run() -> dict[str, object]:
    """All figures."""
    return {"full size": full_size() if torch.cuda.is_available() else NO_GPU, "small": small_model()}


def small_model() -> dict[str, float]:
    """What the model that trains on a CPU takes; 2 threads. Seconds of CPU do not depend on what else runs."""
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        model = StereoVideoModel.create(small())
        given = model.encode(scene(model.config))
        plain = cpu_seconds(model, given)
        speed_up(model)
        wall, sped = one(model, given, SampleOptions(steps=CPU_STEPS)).seconds, cpu_seconds(model, given)
    finally:
        torch.set_num_threads(threads)
    return {
        "a step at 192x128, 2 x 13 frames, s": wall["denoise"] / CPU_STEPS,
        "a step, s of CPU": sped[0],
        "a step without leaving anything out, s of CPU": plain[0],
        "decoding 25 frames, s": wall["decode"],
        "decoding 25 frames, s of CPU": sped[1],
        "load at the end": os.getloadavg()[0],
    }


def cpu_seconds(model: StereoVideoModel, given: Conditioning) -> tuple[float, float]:
    """Return what a step (the median) and decoding take of this process's CPU time [s]."""
    at = [time.process_time()]
    next(dream(model, given, SampleOptions(steps=CPU_STEPS), lambda _step: at.append(time.process_time())))
    return statistics.median(b - a for a, b in pairwise(at)), time.process_time() - at[-1]


def full_size() -> dict[str, object]:
    """Both ways in turn over the same networks, float16, no guidance, the same steps, size and decode chunk."""
    config = replace(PUBLISHED, views=1, length=25)  # one view: what the stock pipeline can do as well
    model = StereoVideoModel.create(config, device="cuda").placed(torch.float16, "cuda")
    pictures = scene(config).cuda()
    given = model.encode(pictures, ids=NO_NOISE)
    noise = start(given, OPTIONS.seed, 0.0)
    stock_s, stock_peak, reference = timed(lambda: stock(model, pictures, noise))
    model.placed(torch.float16, "cuda")  # the pipeline moves the auto-encoder to and fro
    figures: dict[str, object] = {
        "device": torch.cuda.get_device_name(),
        "stock diffusers, a dream, s": stock_s,
        "stock diffusers, peak memory, GB": stock_peak,
    }
    speed_up(model)
    figures["left out"] = ours(model, pictures, stock_s, reference)
    speed_up(model, compiled=True)
    figures["left out, compiled"] = ours(model, pictures, stock_s, reference)
    return figures


def ours(model: StereoVideoModel, pictures: torch.Tensor, stock_s: float, reference: Image) -> dict[str, object]:
    """The figures of our sampler, as the model is."""

    def once() -> Image:
        return one(model, model.encode(pictures, ids=NO_NOISE), OPTIONS).pictures

    seconds, peak, made = timed(once)
    with FlopCounterMode(display=False) as counter:
        one(model, model.encode(pictures, ids=NO_NOISE), replace(OPTIONS, steps=1))
    step = statistics.median(step_seconds(model, pictures))
    flops = float(counter.get_total_flops())
    with FlopCounterMode(display=False) as network:
        given = model.encode(pictures, ids=NO_NOISE)
        model.denoised(start(given, 0, 1.0), torch.ones(1, device="cuda"), given)
    limit = next((v for name, v in LIMITS.items() if name in torch.cuda.get_device_name()), float("nan"))
    return {
        "a dream, s": seconds,
        "times faster than stock": stock_s / seconds,
        "PSNR to stock, dB": float(psnr(made, reference).mean()),
        "contrast of the pictures (standard deviation)": float(made.std()),
        "peak memory, GB": peak,
        "a step, s": step,
        "a step, fraction of the FLOP limit": float(network.get_total_flops()) / step / limit,
        "one step and decoding, TFLOP": flops / 1e12,
    }


def step_seconds(model: StereoVideoModel, pictures: torch.Tensor) -> list[float]:
    """How long the steps of a dream take."""
    given, at = model.encode(pictures, ids=NO_NOISE), [time.monotonic()]

    def stamp(_step: object) -> None:
        torch.cuda.synchronize()
        at.append(time.monotonic())

    next(dream(model, given, replace(OPTIONS, steps=10), stamp))
    return [b - a for a, b in pairwise(at[1:])]


def stock(model: StereoVideoModel, pictures: torch.Tensor, noise: torch.Tensor) -> Image:
    """The pictures (F, H, W, 3) that diffusers' own pipeline makes with the same networks."""
    pipeline = StableVideoDiffusionPipeline(
        model.vae, model.encoder, model.unet, build_scheduler(), CLIPImageProcessor()
    )
    pipeline.set_progress_bar_config(disable=True)
    width, height = model.config.size
    frames = pipeline(
        Pictures.fromarray(pictures[0, 0].cpu().numpy()),
        height=height,
        width=width,
        num_frames=model.config.length,
        num_inference_steps=OPTIONS.steps,
        min_guidance_scale=1.0,
        max_guidance_scale=1.0,
        fps=int(NO_NOISE.fps) + 1,  # it tells the network one less
        motion_bucket_id=int(NO_NOISE.motion_bucket),
        noise_aug_strength=NO_NOISE.augmentation,
        decode_chunk_size=OPTIONS.decode_chunk,
        latents=noise.to(model.dtype),
        output_type="np",
    ).frames[0]
    return np.asarray(np.rint(frames * 255), np.uint8)


def timed(work: Callable[[], Image]) -> tuple[float, float, Image]:
    """Return the seconds of the quicker of two, after one to warm up, the peak memory [GB], and what was made."""
    work()
    torch.cuda.reset_peak_memory_stats()
    took = []
    for _ in range(2):
        torch.cuda.synchronize()
        began = time.monotonic()
        made = work()
        torch.cuda.synchronize()
        took.append(time.monotonic() - began)
    return min(took), torch.cuda.max_memory_allocated() / 1e9, made


def one(model: StereoVideoModel, given: Conditioning, options: SampleOptions) -> Candidate:
    """One dream."""
    return next(dream(model, given, options))


def scene(config: VideoConfig) -> torch.Tensor:
    """A smooth picture of each view (1, V, H, W, 3)."""
    width, height = config.size
    y, x = np.mgrid[:height, :width] / max(config.size)
    views = [np.stack([x, y, np.sin(6 * (x + y + v)) / 2 + 0.5], -1) for v in range(config.views)]
    return torch.from_numpy(np.asarray(255 * np.stack(views), np.uint8))[None]


def main() -> None:
    from tests.bench.run import show

    show(run())


if __name__ == "__main__":
    main()
