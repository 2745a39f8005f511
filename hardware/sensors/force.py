"""A single-axis force sensor on a serial port: one line of text for each measurement (docs/devices.md).

$F,<number>,<time>,<counts>*<check>\r\n      number: 0, 1, 2, ..; time: the sensor's clock [us]; counts: raw,
                                             signed; check: XOR of all bytes between $ and *, two hex digits
"""

import importlib
import threading
import time
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import Any

from hardware.rig_devices import ForceConfig, SensorConfig, sensor_details
from hardware.stream import DeviceError, Reading, StreamInfo
from hardware.threaded_device import ThreadedDevice

PIP_LINE = "pip install 'dreamdeck[force]'"
LONGEST_LINE = 80
TARE_SAMPLES = 15
TARE_TIMEOUT = 5.0


@dataclass(frozen=True)
class ForceLine:
    """One measurement as it came: number, t [s] the sensor's clock, counts raw."""

    number: int
    t: float
    counts: int


def force_line(line: bytes) -> ForceLine | None:
    """Read a line; None where it is damaged."""
    body, _, check = line.strip().partition(b"*")
    fields = body.split(b",")
    try:
        if not body.startswith(b"$F,") or len(fields) != 4 or int(check, 16) != _check(body[1:]):
            return None
        return ForceLine(int(fields[1]), int(fields[2]) / 1e6, int(fields[3]))
    except ValueError:
        return None


def force_text(line: ForceLine) -> bytes:
    """Write a line, as a sensor does."""
    body = f"F,{line.number},{round(line.t * 1e6)},{line.counts}".encode()
    return b"$" + body + b"*%02X\r\n" % _check(body)


def _check(body: bytes) -> int:
    return reduce(lambda a, b: a ^ b, body, 0)


def found_ports() -> dict[str, str]:
    """Return what is plugged in: port -> description. Raises DeviceError where pyserial is missing."""
    ports = _load("serial.tools.list_ports").comports()
    return {port.device: port.description for port in ports if port.vid is not None}


class ForceSource:
    """The port. Until it was tared, nothing that it says is valid."""

    def __init__(self, config: SensorConfig, force: ForceConfig) -> None:
        self._config, self._force = config, force
        self._port: Any = None
        self._bytes = b""
        self._zero: float | None = None
        self._taring: list[int] | None = None
        self._tared = threading.Event()
        self.begin_tare()

    def begin_tare(self) -> threading.Event:
        """Take the mean of the next measurements for 0 N; the event is set when that is done."""
        self._tared = threading.Event()
        self._taring = []
        return self._tared

    def open(self) -> StreamInfo:
        name, port = self._config.name, self._force.port
        serial = _load("serial")
        try:
            self._port = serial.Serial(port, self._force.baud, timeout=0, exclusive=True)
        except (OSError, ValueError) as error:
            what = "no such port; " if not Path(port).exists() else f"{error}; "
            advice = "plug it in, or add yourself to the group dialout"
            raise DeviceError(f"{name}: {port} does not open: {what}{advice}; {_words()}") from error
        self._bytes = b""
        details = {**sensor_details(self._config), "clock": "the sensor's own"}
        return StreamInfo(name, "force", self._config.rate_hz, serial=port, link="serial", details=details)

    def next(self, timeout: float) -> Reading | None:
        until = time.monotonic() + timeout
        while True:
            if (reading := self._parse()) is not None:
                return reading
            left = until - time.monotonic()
            if left <= 0:
                return None
            self._receive(left)

    def close(self) -> None:
        if self._port is not None:
            self._port.close()
        self._port = None

    def _receive(self, timeout: float) -> None:
        try:
            self._port.timeout = timeout
            came = self._port.read(1)
            self._bytes += came + self._port.read(self._port.in_waiting)
        except OSError as error:
            problem = f"it is unplugged ({error}); plug it in again, it goes on by itself"
            raise DeviceError(f"{self._config.name}: {problem}") from error

    def _parse(self) -> Reading | None:
        while b"\n" in self._bytes:
            line, _, self._bytes = self._bytes.partition(b"\n")
            if (found := force_line(line)) is not None:
                return self._reading(found)
        self._bytes = self._bytes[-LONGEST_LINE:]
        return None

    def _reading(self, line: ForceLine) -> Reading:
        taring = self._taring
        if taring is not None:
            taring.append(line.counts)
            if len(taring) >= TARE_SAMPLES:
                self._zero, self._taring = sum(taring) / len(taring), None
                self._tared.set()
        force = (line.counts - (self._zero or 0.0)) * self._force.newton_per_count
        valid = self._zero is not None and self._taring is None and abs(force) <= self._force.limit
        return Reading(self._config.name, line.number, time.monotonic(), line.t, force, valid)


class ForceSensor(ThreadedDevice):
    """The sensor. It is tared once when it is connected: nothing may pull at it then."""

    def __init__(self, config: SensorConfig) -> None:
        if config.force is None:
            raise ValueError(f"sensor {config.name}: it has no port")
        self._force = ForceSource(config, config.force)
        super().__init__(config.name, self._force, rate_hz=config.rate_hz)

    def tare(self) -> None:
        """Take what is measured now for 0 N. Raises DeviceError where it does not measure."""
        if not self._force.begin_tare().wait(TARE_TIMEOUT):
            raise DeviceError(f"{self.name}: it does not measure; check its cable, then tare again")


def _load(module: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise DeviceError(f"force sensor: pyserial is not installed; {PIP_LINE}") from error


def _words() -> str:
    return "found: " + (", ".join(f"{port} ({what})" for port, what in found_ports().items()) or "no serial port")
