"""Opening the devices of a rig for a look: what each of them delivers, and which do not open."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from hardware.recording.encoder import picture_size
from hardware.stream import Device, DeviceError, Picture, Pose, Reading, Sample, StreamHealth, StreamInfo
from hardware.usb_budget import BusBudget, StreamLoad, link_class, usb_budget

POLL_S = 0.02


@dataclass
class Watched:
    """One device while it is watched. times: host time of every sample [s]."""

    device: Device
    info: StreamInfo
    cursor: int = 0
    missed: int = 0
    times: list[float] = field(default_factory=list)
    newest: Sample | None = None
    health: StreamHealth | None = None

    def look(self) -> None:
        samples, self.cursor, missed = self.device.ring.after(self.cursor)
        self.missed += missed
        self.times += [sample.t_host for sample in samples]
        self.newest = samples[-1] if samples else self.newest


def open_devices(makers: Sequence[Callable[[], Device]]) -> tuple[list[Watched], dict[str, str]]:
    """Return the devices that opened, and name -> why for those that did not."""
    opened: list[Watched] = []
    missing: dict[str, str] = {}
    for maker in makers:
        device = maker()
        try:
            opened.append(Watched(device, device.connect()))
        except DeviceError as error:
            missing[device.name] = str(error)
    return opened, missing


def watch(devices: Sequence[Watched], seconds: float, turn: Callable[[], None]) -> None:
    """Collect what the devices deliver for so long [s]; `turn` is called all the while."""
    for watched in devices:
        watched.cursor = watched.device.ring.count
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        for watched in devices:
            watched.look()
        turn()
        time.sleep(POLL_S)
    for watched in devices:
        watched.health = watched.device.health()


def strip(watched: Watched, group: Sequence[float]) -> dict[str, object]:
    """Return one device's line of figures; group: times of what it is to be in step with [s]."""
    times, info, health = watched.times, watched.info, watched.health or watched.device.health()
    span = times[-1] - times[0] if len(times) > 1 else 0.0
    nearest = [min(abs(t - other) for other in group) for t in times] if group else []
    return {
        "kind": info.kind,
        "frames": len(times),
        "fps": (len(times) - 1) / span if span > 0 else 0.0,
        "asked_hz": info.rate_hz,
        "age_s": health.age_s,
        "longest_gap_s": float(np.diff(times).max()) if len(times) > 1 else 0.0,
        "skew_s": float(np.median(nearest)) if nearest else 0.0,
        "drops": health.device_drops,
        "duplicates": health.duplicates,
        "reversals": health.reversals,
        "reopened": health.reopened,
        "connected": health.connected,
        "problem": health.problem,
        "link": info.link,
        "serial": info.serial,
        "details": dict(info.details),
        **_newest(watched.newest),
    }


def strip_line(name: str, values: Mapping[str, object]) -> str:
    """Return the same for people."""
    if not values["frames"]:
        return f"  NO  {name}: nothing came; {values['problem'] or 'check its cable'}"
    fps, gap, skew, age = (float(str(values[key])) for key in ("fps", "longest_gap_s", "skew_s", "age_s"))
    parts = [
        f"{fps:.1f} of {values['asked_hz']:g} Hz",
        f"longest gap {gap * 1e3:.0f} ms",
        f"skew {skew * 1e3:.0f} ms",
        f"age {age * 1e3:.0f} ms",
        f"{values['drops']} dropped",
    ]
    if values.get("exposure_s") is not None:
        parts.append(f"exposure {float(str(values['exposure_s'])) * 1e3:.1f} ms")
    parts += [f"confidence {values['confidence']}"] if "confidence" in values else []
    parts += [_said(str(values["kind"]), values)] if "value" in values else []
    parts += [str(values["link"])] if values["link"] else []
    problem = f"; {values['problem']}" if values["problem"] else ""
    return f"  {'NO ' if problem else 'ok '} {values['kind']} {name}: {', '.join(parts)}{problem}"


def _said(kind: str, values: Mapping[str, object]) -> str:
    if not values["valid"]:
        return "no valid value"
    value = float(str(values["value"]))
    return f"{value * 1e3:.1f} mm" if kind == "opening" else f"{value:.2f} N"


def budget(devices: Sequence[Watched]) -> tuple[BusBudget, ...]:
    """Return what the USB links have to carry; devices that hang on none of them are left out."""
    return usb_budget([_load(w) for w in devices if w.info.link.startswith(("USB", "GigE"))])


def _load(watched: Watched) -> StreamLoad:
    info, newest = watched.info, watched.newest
    size = picture_size(newest.pixels, newest.pixel_format) if isinstance(newest, Picture) else None
    sent = "raw8" if info.details.get("sent as", "").startswith(("Bayer", "Mono")) else info.pixel_format
    return StreamLoad(info.name, link_class(info.link), info.link, info.rate_hz, size, sent)


def _newest(sample: Sample | None) -> dict[str, object]:
    if isinstance(sample, Picture):
        return {"exposure_s": sample.exposure_s}
    if isinstance(sample, Pose):
        return {"confidence": sample.confidence}
    return {"value": sample.value, "valid": sample.valid} if isinstance(sample, Reading) else {}
