"""The vendor's SDK, made quiet and closable: what it prints goes to the log, what it starts is ended."""

import contextlib
import io
import logging
import socket
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from hardware.robots.base import ArmError

log = logging.getLogger(__name__)
_THREADS_END = 3.0
# a stop is taken whatever error, warning or state the reply tells of
_STOP_TAKEN = (0, 1, 2, 9)


class _Printed(io.TextIOBase):
    """Takes what the SDK prints and logs it line by line; prints of other threads meanwhile end up here too."""

    def write(self, text: str) -> int:
        if text.strip():
            log.debug("SDK: %s", text.strip())
        return len(text)


class _Demoted(logging.Filter):
    """Passes on what the SDK logs, as information: what it calls an error, the driver raises in words."""

    def filter(self, record: logging.LogRecord) -> bool:
        log.info("SDK: %s", record.getMessage())
        return False


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep the SDK's prints off stdout, which belongs to the program's own output."""
    with contextlib.redirect_stdout(_Printed()):
        yield


@dataclass(frozen=True)
class Sdk:
    """What the driver uses of the SDK: its XArmAPI and its XCONF."""

    api: Any
    config: Any

    def open(self, address: str, control_port: int, timeout: float) -> Any:
        """Connect. Blocks up to a minute where the controller goes silent meanwhile; raises Exception.

        The SDK sets a socket timeout for the whole process; it is put back here.
        """
        self.config.SocketConf.TCP_CONTROL_PORT = control_port
        self.config.UxbusConf.GET_TIMEOUT = self.config.UxbusConf.SET_TIMEOUT = int(1000 * timeout)
        before = socket.getdefaulttimeout()
        try:
            with quiet():
                arm = self.api(
                    address, is_radian=True, do_not_open=True, forbid_uds=True, timed_comm=False, report_type="rich"
                )
                arm.reports_seen, arm.reported_at = 0, time.monotonic()
                arm.register_report_callback(lambda _: _reported(arm), False, False)
                arm.connect()
                arm.set_timeout(timeout)
        finally:
            socket.setdefaulttimeout(before)
        return arm

    def exchange(self, arm: Any, register: int, payload: bytes) -> bytes:
        """Send a request of our own over the SDK's connection; return the reply's payload, empty where none cam."""
        code, reply = arm._arm.set_modbus_tcp_data([register, *payload], raw=False)
        return bytes(reply[2:]) if code == 0 else b""

    def stop(self, arm: Any) -> int:
        """Send the stop state; return the SDK's code: 0 done. As emergency_stop, which would insist for 3 s."""
        code = int(arm._arm.arm_cmd.set_state(4)[0])
        return 0 if code in _STOP_TAKEN else code

    def has_force(self, arm: Any) -> bool:
        """Whether the force-torque sensor is on, by the last report."""
        return bool(arm._arm.ft_sensor_is_enable)

    def close(self, arm: Any) -> None:
        """Disconnect and wait for the threads that the SDK started for this connection."""
        inner = arm._arm
        with quiet():
            # the command stream first: with it gone the SDK does not try to have its reports back, for 2 s
            inner._stream.close()
            inner._stream.join(_THREADS_END)
            arm.disconnect()
            # its feedback thread looks once a second only whether the connection is gone: wake it with a frame
            # that means nothing
            inner._feedback_que.put(bytes(16))
            for name in ("_feedback_thread", "_report_thread", "_stream", "_stream_report"):
                thread = getattr(inner, name, None)
                if isinstance(thread, threading.Thread) and thread is not threading.current_thread():
                    with contextlib.suppress(RuntimeError):
                        thread.join(_THREADS_END)


@cache
def load_sdk() -> Sdk:
    """Import the SDK. Raises ArmError with the command that installs it."""
    try:
        with quiet():
            from xarm.core.config.x_config import XCONF
            from xarm.core.utils import log as sdk_log
            from xarm.wrapper import XArmAPI
    except (ImportError, OSError) as error:
        raise ArmError(
            f"the xArm SDK cannot be loaded ({error}); install it: {sys.executable} -m pip install xarm-python-sdk"
        ) from error
    for logger in (sdk_log.logger, sdk_log.origin_logger):
        logger.addFilter(_Demoted())
    return Sdk(XArmAPI, XCONF)


def _reported(arm: Any) -> None:
    arm.reports_seen += 1
    arm.reported_at = time.monotonic()
