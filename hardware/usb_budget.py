"""Whether the streams of a rig fit through their USB links: arithmetic, before anything is recorded."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

# what a link is trusted with, in Mb/s of pictures: the signalling rate less coding, protocol and a reserve. A hub
# and everything behind it are one link.
USABLE_MBPS: Mapping[str, float] = {"USB 2": 280.0, "USB 3": 3200.0, "USB 3.2 gen 2": 7200.0, "GigE": 920.0}
BITS: Mapping[str, int] = {"yuyv422": 16, "nv12": 12, "rgb24": 24, "raw8": 8}
TIGHT = 0.8
SENSOR_MBPS = 0.5


@dataclass(frozen=True)
class StreamLoad:
    """One stream on its link.

    bus: which ones share a controller or hub, such as "2" of lsusb; where nobody knows, the row of USABLE_MBPS,
    since what is slow takes nothing from what is fast; link: how fast it is; size (width, height), None for a
    sensor.
    """

    name: str
    bus: str
    link: str
    rate_hz: float
    size: tuple[int, int] | None = None
    pixel_format: str = "yuyv422"


@dataclass(frozen=True)
class BusBudget:
    """What one bus has to carry [Mb/s], what it can, and that in words."""

    bus: str
    link: str
    needed_mbps: float
    usable_mbps: float
    streams: tuple[str, ...]
    verdict: Literal["fits", "tight", "too much", "unknown"]
    text: str


def stream_mbps(stream: StreamLoad) -> float:
    """Return what a stream needs [Mb/s]. Raises ValueError for a format that nobody knows."""
    if stream.size is None:
        return SENSOR_MBPS
    if stream.pixel_format not in BITS:
        raise ValueError(f"{stream.name}: pixel format {stream.pixel_format!r}; valid: {', '.join(BITS)}")
    return stream.size[0] * stream.size[1] * BITS[stream.pixel_format] * stream.rate_hz / 1e6


def usb_budget(streams: Sequence[StreamLoad]) -> tuple[BusBudget, ...]:
    """Return the budget of every bus, in the order of the streams. The slowest link of a bus is that of the bus."""
    by_bus: dict[str, list[StreamLoad]] = {}
    for stream in streams:
        by_bus.setdefault(stream.bus, []).append(stream)
    return tuple(_budget(bus, on_it) for bus, on_it in by_bus.items())


def link_class(link: str) -> str:
    """Return the row of USABLE_MBPS for what a driver says of its link ("USB 3.2"); "" where there is none."""
    rows = sorted(USABLE_MBPS, key=len, reverse=True)
    return next((row for row in rows if link.startswith(row)), "")


def _budget(bus: str, streams: Sequence[StreamLoad]) -> BusBudget:
    needed = sum(map(stream_mbps, streams))
    classes = [link_class(stream.link) for stream in streams]
    names = tuple(stream.name for stream in streams)
    where = "at worst on one bus" if bus in ("", *USABLE_MBPS) else f"bus {bus}"
    if not all(classes):
        text = f"{', '.join(names)} need {needed:.0f} Mb/s; how fast their link is, nobody says"
        return BusBudget(bus, "", needed, 0.0, names, "unknown", text)
    link = min(classes, key=lambda known: USABLE_MBPS[known])
    usable = USABLE_MBPS[link]
    share = needed / usable
    text = f"{', '.join(names)} need {needed:.0f} of {usable:.0f} Mb/s ({link}, {where})"
    if share > 1:
        largest = max(streams, key=stream_mbps).name
        advice = "put it on a USB 3 port" if link == "USB 2" else "put it on another controller"
        return BusBudget(bus, link, needed, usable, names, "too much", f"{text}: too much; {largest}: {advice}")
    if share > TIGHT:
        text += ": tight; a picture may be lost when something else uses the bus"
        return BusBudget(bus, link, needed, usable, names, "tight", text)
    return BusBudget(bus, link, needed, usable, names, "fits", f"{text}: fits")
