"""A sensor of the simulated handheld gripper: every sample of its world's ring, from any process."""

import time
from collections import deque

from hardware.rig_devices import SensorConfig, sensor_details
from hardware.stream import SIMULATED, DeviceError, Sample, StreamInfo
from hardware.threaded_device import ThreadedDevice
from hardware.world.held_memory import RATE_HZ, HeldMemory, HeldSample
from hardware.world.sensing import GripForce, GripperTruth, gripper_sensor

FIRST_SAMPLE_S, STALL_S = 30.0, 3.0
POLL_S = 0.005
ZERO_TIMEOUT_S = 5.0
ROLE = "gripper"


class SimSensorSource:
    """The ring of a world. It is written as often as the world gets to it: 30 Hz where the computer keeps up. The
    host time of each sample says when it was so."""

    def __init__(self, config: SensorConfig, memory: str, seed: int) -> None:
        self._config, self._memory_name = config, memory
        self.sensor = gripper_sensor(config, seed)
        self._memory: HeldMemory | None = None
        self._cursor, self._began = 0, 0.0
        self._waiting: deque[HeldSample] = deque()

    def open(self) -> StreamInfo:
        try:
            self._memory = HeldMemory(self._memory_name)
        except FileNotFoundError as error:
            raise DeviceError(f"{self._config.name}: its simulated world is not running; start it") from error
        self._cursor, self._began = self._memory.written, time.monotonic()
        self._waiting.clear()
        config, details = self._config, {"clock": "simulated", **sensor_details(self._config)}
        return StreamInfo(config.name, config.kind, RATE_HZ, link=SIMULATED, details=details)

    def next(self, timeout: float) -> Sample | None:
        memory = self._memory
        if memory is None:
            raise DeviceError(f"{self._config.name}: it is not connected; connect it first")
        until = time.monotonic() + timeout
        while not self._waiting:
            new, self._cursor = memory.since(self._cursor)
            self._waiting.extend(new)
            if not new:
                if time.monotonic() > until:
                    return None
                time.sleep(POLL_S)
        return self.sensor.sample(self._truth(self._waiting.popleft()))

    def close(self) -> None:
        if self._memory is not None:
            self._memory.close()
            self._memory = None

    def _truth(self, held: HeldSample) -> GripperTruth:
        T = held.T_world_tool.get(ROLE)
        return GripperTruth(held.index, held.t_host, held.t_host - self._began, T, held.opening, held.grip)


class SimSensor(ThreadedDevice):
    """One sensor of a running WorldProcess; memory: the name of that world's ring (`WorldProcess.held.name`)."""

    def __init__(self, config: SensorConfig, memory: str, seed: int = 0) -> None:
        """seed: of its offset, noise and relocalisations."""
        self._served = SimSensorSource(config, memory, seed)
        super().__init__(
            config.name,
            self._served,
            rate_hz=RATE_HZ,
            stall_s=STALL_S,
            first_sample_s=FIRST_SAMPLE_S,
            reopen_after_s=float("inf"),
        )


class SimForce(SimSensor):
    """The simulated force sensor: it stands off zero until it is zeroed."""

    def tare(self) -> None:
        """Take what is measured now for 0 N. Raises DeviceError where it does not measure."""
        sensor = self._served.sensor
        if not isinstance(sensor, GripForce):
            raise DeviceError(f"{self.name}: it measures no force")
        sensor.zero()
        until = time.monotonic() + ZERO_TIMEOUT_S
        while sensor.zeroing:
            if time.monotonic() > until:
                raise DeviceError(f"{self.name}: it does not measure; is its simulated world there?")
            time.sleep(POLL_S)


def sim_sensor(config: SensorConfig, memory: str, seed: int = 0) -> SimSensor:
    """Return the device of a simulated sensor."""
    return (SimForce if config.kind == "force" else SimSensor)(config, memory, seed)
