"""A T265's poses, through a bridge that runs in an interpreter of its own (assets/workers/t265_bridge.py)."""

import contextlib
import json
import os
import select
import shutil
import struct
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from scipy.spatial.transform import Rotation

from hardware.geometry import transform
from hardware.rig_devices import SensorConfig, sensor_details
from hardware.stream import DeviceError, Pose, StreamInfo

BRIDGE = Path(__file__).parents[2] / "assets" / "workers" / "t265_bridge.py"
PYTHON_VARIABLE = "DREAMDECK_T265_PYTHON"
SDK = "pyrealsense2==2.53.1.4623"
INSTALL = f"python3.10 -m venv ~/t265 && ~/t265/bin/pip install {SDK}, then set {PYTHON_VARIABLE}=~/t265/bin/python"
HELLO_TIMEOUT = 20.0
END_TIMEOUT = 2.0
LONGEST = 1 << 16
ADVICE = {
    "import": f"its SDK is not there; {INSTALL}",
    "device": "plug it in, on another USB controller than a D435 where there is one",
    "gone": "plug it in again, it goes on by itself",
}


def bridge_command(config: SensorConfig) -> list[str]:
    """Return how the bridge is started. Raises DeviceError where no interpreter for it is known."""
    options = ["--serial", config.serial, "--rate", f"{config.rate_hz:g}"]
    if config.emulate:
        return [sys.executable, str(BRIDGE), "--emulate", *options]
    python = config.python or os.environ.get(PYTHON_VARIABLE, "")
    if python:
        place = Path(python).expanduser()
        if not place.is_file():
            raise DeviceError(f"{config.name}: there is no interpreter {python}; {INSTALL}")
        return [str(place), str(BRIDGE), *options]
    if uv := shutil.which("uv"):
        return [uv, "run", "--script", str(BRIDGE), *options]
    raise DeviceError(f"{config.name}: a T265 needs Python 3.10 of its own; {INSTALL}; or install uv")


class T265Source:
    """One bridge process, from open to close."""

    def __init__(self, config: SensorConfig) -> None:
        self._config = config
        self._process: subprocess.Popen[bytes] | None = None
        self._bytes = b""

    @property
    def pid(self) -> int | None:
        """Of the bridge, None while there is none."""
        return self._process.pid if self._process else None

    def open(self) -> StreamInfo:
        command = bridge_command(self._config)
        self._bytes = b""
        try:
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
            )
        except OSError as error:
            raise DeviceError(f"{self._config.name}: {command[0]} does not start ({error}); {INSTALL}") from error
        try:
            hello = self._message(HELLO_TIMEOUT)
            if hello is None or hello.get("kind") != "hello":
                raise DeviceError(f"{self._config.name}: its bridge says nothing; {INSTALL}")
            return self._info(hello)
        except BaseException:
            self.close()
            raise

    def next(self, timeout: float) -> Pose | None:
        message = self._message(timeout)
        return None if message is None or message.get("kind") != "pose" else self._pose(message)

    def close(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        if process.stdin is not None:
            with contextlib.suppress(OSError):
                process.stdin.close()
        try:
            process.wait(END_TIMEOUT)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()

    def _info(self, hello: dict[str, Any]) -> StreamInfo:
        details = {key: str(hello.get(key, "")) for key in ("model", "sdk", "python")}
        link = "emulated" if hello.get("emulated") else f"USB {hello.get('usb', '')}".strip()
        serial = str(hello.get("serial", ""))
        return StreamInfo(
            self._config.name,
            "pose",
            self._config.rate_hz,
            serial=serial,
            link=link,
            details={**details, **sensor_details(self._config), "clock": "the camera's"},
        )

    def _pose(self, message: dict[str, Any]) -> Pose:
        now = time.monotonic()
        try:
            R = Rotation.from_quat(np.array(message["rotation"], float)).as_matrix()
            T = transform(R, np.array(message["position"], float))
            times = (now, float(message["t"]))
            confidence, relocalised = int(message["confidence"]), bool(message["relocalised"])
            return Pose(self._config.name, int(message["index"]), *times, T, confidence, relocalised)
        except (KeyError, TypeError, ValueError) as error:
            raise DeviceError(
                f"{self._config.name}: its bridge sent a damaged pose ({error}); reconnect it"
            ) from error

    def _message(self, timeout: float) -> dict[str, Any] | None:
        """Return the next message, None after timeout [s]. Raises DeviceError where it is an error, or the end."""
        until = time.monotonic() + timeout
        while (message := self._whole()) is None:
            left = until - time.monotonic()
            if left <= 0 or not self._receive(left):
                return None
        if message.get("kind") == "error":
            about = ADVICE.get(str(message.get("about")), "reconnect it")
            raise DeviceError(f"{self._config.name}: {message.get('message')}; {about}")
        return message

    def _receive(self, timeout: float) -> bool:
        process = self._process
        if process is None or process.stdout is None:
            raise DeviceError(f"{self._config.name}: it is not connected; connect it first")
        if not select.select([process.stdout], [], [], timeout)[0]:
            return False
        data = os.read(process.stdout.fileno(), LONGEST)
        if not data:
            raise DeviceError(f"{self._config.name}: its bridge ended; it is started again by itself")
        self._bytes += data
        return True

    def _whole(self) -> dict[str, Any] | None:
        if len(self._bytes) < 4:
            return None
        (length,) = struct.unpack(">I", self._bytes[:4])
        if length > LONGEST:
            raise DeviceError(f"{self._config.name}: its bridge sent no messages but something else; reconnect it")
        if len(self._bytes) < 4 + length:
            return None
        data, self._bytes = self._bytes[4 : 4 + length], self._bytes[4 + length :]
        try:
            message = json.loads(data)
        except ValueError as error:
            raise DeviceError(f"{self._config.name}: its bridge sent a damaged message; reconnect it") from error
        return message if isinstance(message, dict) else {}
