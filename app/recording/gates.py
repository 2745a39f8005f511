"""What must be so before a recording starts. A person may pass a gate with a reason, which the episode keeps."""

import datetime
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from app.recording.checks import ZERO_FORCE_N
from hardware.recording.capture import CaptureStatus
from hardware.recording.note import Verdict
from hardware.rig_devices import CALIBRATED
from hardware.stream import Reading, StreamInfo

SILENT_S, FREE_SILENT_S = 1.0, 3.0  # without a sample; of a stream that promised no rate
STALE_DAYS = 30.0
LEAST_FREE = 2 * 2**30  # some ten minutes of the handheld rig


@dataclass(frozen=True)
class Gate:
    """One condition as it is now. open: it holds; may_override: a person may pass it with a reason."""

    name: str
    open: bool
    text: str
    may_override: bool = True


def gates(
    streams: Mapping[str, StreamInfo],
    status: CaptureStatus,
    folder: Path,
    *,
    writable: bool,
    scene: tuple[Verdict, ...] | None,
    today: datetime.date | None = None,
) -> tuple[Gate, ...]:
    """Return every gate. scene: what was found in the bare scene's pictures, None where there are none yet."""
    return (
        _session(folder, writable),
        _streams(streams, status),
        _calibration(streams, today or datetime.datetime.now(datetime.UTC).date()),
        _disk(folder),
        *_force(streams, status),
        _scene(scene),
    )


def _session(folder: Path, writable: bool) -> Gate:
    text = "" if writable else f"{folder.name}: another Dreamdeck records into it; choose another session"
    return Gate("session", writable, text, may_override=False)


def _streams(streams: Mapping[str, StreamInfo], status: CaptureStatus) -> Gate:
    if not status.alive:
        return Gate("streams", False, "the capture process has ended; open the rig again", may_override=False)
    if not streams:
        return Gate("streams", False, "no device is open; connect one, see page Rig", may_override=False)
    wrong = dict(status.missing)
    for name, info in streams.items():
        health = status.health.get(name)
        if health is None or not health.connected:
            wrong[name] = f"{name}: not connected" if health is None or not health.problem else health.problem
        elif health.age_s > (FREE_SILENT_S if info.free_running else SILENT_S):
            wrong[name] = f"{name}: silent for {health.age_s:.0f} s"
    return Gate("streams", not wrong, "; ".join(wrong.values()))


def _calibration(streams: Mapping[str, StreamInfo], today: datetime.date) -> Gate:
    wrong = []
    for name, info in streams.items():
        if info.kind != "camera":
            continue
        if info.camera is None:
            wrong.append(f"{name}: not calibrated")
        elif (age := _age(info, today)) is not None and age > STALE_DAYS:
            wrong.append(f"{name}: calibrated {age:.0f} days ago; calibrate it again")
    return Gate("calibration", not wrong, "; ".join(wrong))


def _age(info: StreamInfo, today: datetime.date) -> float | None:
    """Return the calibration's age in days, None where the device does not say."""
    try:
        return float((today - datetime.date.fromisoformat(info.details[CALIBRATED][:10])).days)
    except (KeyError, ValueError):
        return None


def _disk(folder: Path) -> Gate:
    try:
        free = shutil.disk_usage(folder).free
    except OSError as error:
        return Gate("disk", False, f"{folder}: {error.strerror}", may_override=False)
    text = f"{free / 2**30:.1f} GB are free; make room: a minute of a rig takes about 0.25 GB"
    return Gate("disk", free >= LEAST_FREE, "" if free >= LEAST_FREE else text)


def _force(streams: Mapping[str, StreamInfo], status: CaptureStatus) -> tuple[Gate, ...]:
    """Nothing is touched before a take: a force sensor stands at zero. No gate where there is none."""
    names = [name for name, info in streams.items() if info.kind == "force"]
    wrong = []
    for name in names:
        now = status.values.get(name)
        if not isinstance(now, Reading):
            continue  # that nothing comes is the streams' gate
        if not now.valid:
            wrong.append(f"{name}: it does not measure; zero it")
        elif abs(now.value) > ZERO_FORCE_N:
            wrong.append(f"{name}: {now.value:+.1f} N while nothing is touched; zero it")
    return (Gate("force", not wrong, "; ".join(wrong)),) if names else ()


def _scene(scene: tuple[Verdict, ...] | None) -> Gate:
    if scene is None:
        return Gate("scene", False, "take the picture of the bare scene first", may_override=False)
    return Gate("scene", not scene, "; ".join(v.text for v in scene))
