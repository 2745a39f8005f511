# /// script
# requires-python = "==3.10.*"
# dependencies = ["pyrealsense2==2.53.1.4623"]
# ///
"""A T265 behind pipes: the last SDK that knows it runs on Python 3.10 only, so it has an interpreter of its own.

Run by Dreamdeck; it imports nothing of Dreamdeck. On stdout go messages, each a length (4 bytes, big-endian) and
that many bytes of JSON; on stdin nothing comes, and its end ends the bridge.

    {"kind": "hello", "protocol": 1, "sdk", "python", "serial", "model", "usb", "emulated"}   first
    {"kind": "pose", "index", "t", "position", "rotation", "confidence", "relocalised"}
    {"kind": "error", "about": "import" | "device" | "gone", "message"}                   the last; the bridge ends

t [s] is the camera's clock; position [m] and rotation (x, y, z, w) take the sensor's axes (x right, y up, z to the
person behind it) into those of its start; confidence 0 none, 1 low, 2 medium, 3 high; relocalised: the camera found
a place that it knew, and its poses may have jumped since the one before.

    --emulate plays a path without any device: 60 poses round a circle, the 40th to 49th of low confidence, the 50th
    relocalised with a jump of 10 mm that stays.
"""

import argparse
import json
import math
import os
import platform
import struct
import sys
import threading
import time
from typing import Any

PROTOCOL = 1
NATIVE_HZ = 200
WAIT_MS = 200
CYCLE, LOW, JUMP = 60, range(40, 50), 50


class Gone(Exception):
    """The bridge cannot go on; about: "import", "device" or "gone"."""

    def __init__(self, about: str, message: str) -> None:
        super().__init__(message)
        self.about = about


class Voice:
    """Writes messages. Whatever an SDK prints goes to stderr, so that it cannot come between them."""

    def __init__(self) -> None:
        self._out = os.fdopen(os.dup(1), "wb")
        os.dup2(2, 1)

    def say(self, message: dict[str, Any]) -> None:
        data = json.dumps(message).encode()
        self._out.write(struct.pack(">I", len(data)) + data)
        self._out.flush()


def hello(voice: Voice, sdk: str, serial: str, model: str, usb: str, emulated: bool) -> None:
    names = {"sdk": sdk, "python": platform.python_version(), "serial": serial, "model": model, "usb": usb}
    voice.say({"kind": "hello", "protocol": PROTOCOL, "emulated": emulated, **names})


def emulate(voice: Voice, rate: float, ended: threading.Event) -> None:
    """Play the path until the end."""
    hello(voice, "none", "emulated", "emulated T265", "", True)
    start, index, shift = time.monotonic(), 0, 0.0
    while not ended.wait(max(0.0, start + index / rate - time.monotonic())):
        place = index % CYCLE
        shift += 0.01 * (place == JUMP)
        turn = 2 * math.pi * place / CYCLE
        voice.say(
            {
                "kind": "pose",
                "index": index,
                "t": 1000.0 + index / rate,
                "position": [0.1 * math.cos(turn) + shift, 0.1 * math.sin(turn), 0.0],
                "rotation": [0.0, 0.0, math.sin(turn / 2), math.cos(turn / 2)],
                "confidence": 1 if place in LOW else 3,
                "relocalised": place == JUMP,
            }
        )
        index += 1


def stream(voice: Voice, serial: str, rate: float, ended: threading.Event) -> None:
    """Send the camera's poses until the end. Raises Gone."""
    try:
        import pyrealsense2 as rs
    except ImportError as error:
        raise Gone("import", f"{sys.executable}: {error}") from error
    if not hasattr(rs.stream, "pose"):
        raise Gone("import", f"pyrealsense2 {rs.__version__} does not know the T265")
    pipeline, config = rs.pipeline(), rs.config()
    if serial:
        config.enable_device(serial)
    config.enable_stream(rs.stream.pose)
    try:
        profile = pipeline.start(config)
    except RuntimeError as error:
        raise Gone("device", str(error)) from error
    try:
        _poses(rs, voice, pipeline, profile, rate, ended)
    except RuntimeError as error:
        raise Gone("gone", str(error)) from error
    finally:
        pipeline.stop()


def _poses(rs: Any, voice: Voice, pipeline: Any, profile: Any, rate: float, ended: threading.Event) -> None:
    device = profile.get_device()
    found_again = threading.Event()

    def notice(notification: Any) -> None:
        if notification.category == rs.notification_category.pose_relocalization:
            found_again.set()

    device.first_pose_sensor().set_notifications_callback(notice)
    kinds = (rs.camera_info.serial_number, rs.camera_info.name, rs.camera_info.usb_type_descriptor)
    names = (device.get_info(kind) if device.supports(kind) else "" for kind in kinds)
    hello(voice, getattr(rs, "__version__", "2.53.1"), *names, emulated=False)
    every, last = max(1, round(NATIVE_HZ / rate)), -1
    while not ended.is_set():
        came, frames = pipeline.try_wait_for_frames(WAIT_MS)
        frame = frames.get_pose_frame() if came else None
        if not frame or frame.get_frame_number() // every == last:
            continue
        last = frame.get_frame_number() // every
        relocalised = found_again.is_set()
        found_again.clear()
        pose = frame.get_pose_data()
        p, q = pose.translation, pose.rotation
        voice.say(
            {
                "kind": "pose",
                "index": last,
                "t": frame.get_timestamp() / 1e3,
                "position": [p.x, p.y, p.z],
                "rotation": [q.x, q.y, q.z, q.w],
                "confidence": int(pose.tracker_confidence),
                "relocalised": relocalised,
            }
        )


def main() -> int:
    parser = argparse.ArgumentParser(description="Send a T265's poses to stdout.")
    parser.add_argument("--serial", default="", help="which camera, by its serial number (default: any)")
    parser.add_argument("--rate", type=float, default=30.0, help="poses a second, at most 200 (default: 30)")
    parser.add_argument("--emulate", action="store_true", help="play a path, without a device")
    arguments = parser.parse_args()
    voice, ended = Voice(), threading.Event()
    # raw reads: an interpreter that ends while a thread holds the buffered stdin aborts
    threading.Thread(target=lambda: (os.read(0, 1), ended.set()), daemon=True).start()
    try:
        if arguments.emulate:
            emulate(voice, arguments.rate, ended)
        else:
            stream(voice, arguments.serial, arguments.rate, ended)
    except Gone as error:
        voice.say({"kind": "error", "about": error.about, "message": str(error)})
        return 1
    except BrokenPipeError:
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
