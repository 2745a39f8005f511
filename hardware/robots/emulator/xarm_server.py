"""The emulated xArm controller's ports: requests on the control port, reports on three others."""

from functools import partial
from multiprocessing.shared_memory import SharedMemory

from hardware.robots.emulator.config import EmulatorConfig
from hardware.robots.emulator.frames import FrameError, decode
from hardware.robots.emulator.payloads import Session
from hardware.robots.emulator.registers import reply_to
from hardware.robots.emulator.reports import RATES, report
from hardware.robots.emulator.server import Client, ClientGone, ControllerServer
from hardware.robots.emulator.xarm_controller import XArmController


class XArmServer(ControllerServer):
    """An emulated xArm; a nonce makes it answer challenges (identity.py)."""

    def __init__(
        self, config: EmulatorConfig, nonce: bytes | None = None, joints: SharedMemory | None = None
    ) -> None:
        self.controller, self._nonce = XArmController(config), nonce
        self._control_port = config.control_port
        super().__init__(self.controller, config, (config.control_port, *RATES), joints)
        self._report_at = dict.fromkeys(RATES, self.now)

    def welcome(self, client: Client) -> None:
        if client.port != self._control_port:
            return
        received = bytearray()
        session = Session(self.controller, partial(self._answer, client), self._nonce)

        def take(data: bytes) -> None:
            try:
                frames, rest = decode(bytes(received) + data)
            except FrameError as error:
                raise ClientGone from error
            received[:] = rest
            for frame in frames:
                self._answer(client, reply_to(session, frame))

        client.take = take

    def is_mute(self, client: Client) -> bool:
        return self.silent and client.port == self._control_port

    def report(self) -> None:
        for port, due in self._report_at.items():
            if self.now >= due:
                self._report_at[port] = max(due + 1.0 / RATES[port], self.now)
                readers = [client for client in self.clients if client.port == port and not client.unsent]
                frame = report(port, self.controller) if readers else b""
                for client in readers:
                    self.send(client, frame)

    def _answer(self, client: Client, data: bytes) -> None:
        if not self.is_mute(client):
            self.send(client, data)
