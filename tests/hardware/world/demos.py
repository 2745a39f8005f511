"""What a demo of the simulated world is, as plain values: made in a process that may draw."""

import hashlib

import numpy as np

from hardware.rig import load_rig
from hardware.world.episodes import DemoMaker


def summary(task: str, seed: int, held_out: bool = False, size: tuple[int, int] = (96, 64)) -> dict[str, object]:
    """The first demo of a table: sizes, digests, the bare scene, success."""
    rig = load_rig("sim-handheld") if task == "pick-and-place" else load_rig("sim")
    with DemoMaker(rig, size) as maker:
        demos = list(maker.episode(task, seed, held_out=held_out))
    first, digest = demos[0], hashlib.sha256()
    for demo in demos:
        for frame in demo.frames:
            for name, rgb in frame.views.items():
                digest.update(rgb.tobytes())
                assert rgb.shape == (size[1], size[0], 3), name
        for moment in demo.moments:
            for T in (*moment.T_world_thing.values(), *moment.T_world_tool.values()):
                digest.update(np.ascontiguousarray(T).tobytes())
    ends = [demo.moments[-1] for demo in demos]
    return {
        "digest": digest.hexdigest(),
        "views": sorted(first.frames[0].views),
        "times": [frame.t for frame in first.frames],
        "fps": first.fps,
        "tools_at_start": {r: bool(np.isfinite(T).all()) for r, T in first.frames[0].moment.T_world_tool.items()},
        "tools_later": all(np.isfinite(T).all() for T in first.frames[-1].moment.T_world_tool.values()),
        "changed": float(
            max(
                np.abs(first.frames[0].views[v].astype(int) - first.frames[k].views[v]).max(axis=2).mean()
                for v in first.frames[0].views
                for k in range(1, len(first.frames))
            )
        ),
        "truth_hz": 1 / float(np.median(np.diff([m.t for m in first.moments]))),
        "success": demos[-1].verdict.success,
        "steps": first.steps,
        "farthest": float(max(np.linalg.norm(T[:3, 3]) for m in ends for T in m.T_world_thing.values())),
        "lowest": float(min(T[2, 3] for m in ends for T in m.T_world_thing.values())),
        "opening": [moment.opening for moment in first.moments],
        "grip": [moment.grip for moment in first.moments],
        "goal_px": int(first.goal_mask(first.cameras[0]).sum()) if task == "push-shape" else 0,
    }
