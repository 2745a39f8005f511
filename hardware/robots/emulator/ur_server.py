"""The emulated UR controller's ports: data exchange, scripts, dashboard, and its configuration."""

from collections.abc import Callable
from functools import partial
from multiprocessing.shared_memory import SharedMemory

from hardware.robots.emulator.config import EmulatorConfig
from hardware.robots.emulator.server import Client, ClientGone, ControllerServer
from hardware.robots.emulator.ur_controller import URController
from hardware.robots.emulator.ur_dashboard import BANNER, LONGEST_LINE, reply_to
from hardware.robots.emulator.ur_primary import PRIMARY_PORT, configuration_message
from hardware.robots.emulator.ur_rtde import RtdeSession
from hardware.robots.emulator.ur_script import program_of, programs

SCRIPT_PORT, DASHBOARD_PORT = 30003, 29999
SCRIPT_PORTS = (SCRIPT_PORT, 30002)
LONGEST_SCRIPT = 1 << 20


class URServer(ControllerServer):
    """An emulated UR5 or UR5e; a nonce makes its data exchange answer challenges (identity.py)."""

    # a script is 50 kB at once
    read_at_once = 1 << 16

    def __init__(
        self, config: EmulatorConfig, nonce: bytes | None = None, joints: SharedMemory | None = None
    ) -> None:
        self.controller, self._nonce = URController(config), nonce
        self.cycle = 1.0 / self.controller.generation.frequency
        self._rtde_port = config.control_port
        self._sessions: dict[Client, RtdeSession] = {}
        self._owners: dict[str, RtdeSession] = {}
        ports = (config.control_port, DASHBOARD_PORT, PRIMARY_PORT, *SCRIPT_PORTS)
        super().__init__(self.controller, config, ports, joints)

    def welcome(self, client: Client) -> None:
        if client.port == self._rtde_port:
            self._start_session(client)
        elif client.port == DASHBOARD_PORT:
            client.take = _by_line(partial(self._on_dashboard, client))
            if not self.silent:
                self.send(client, f"{BANNER}\n".encode())
        elif client.port == PRIMARY_PORT:
            if not self.silent:
                self.send(client, configuration_message(self.controller))
        else:
            client.take = self._by_program()

    def report(self) -> None:
        if not self.silent:
            for session in tuple(self._sessions.values()):
                session.report()

    def _start_session(self, client: Client) -> None:
        session = RtdeSession(self.controller, partial(self.send, client), self._owners, self._nonce)
        self._sessions[client] = session
        client.take = session.take

        def leave() -> None:
            del self._sessions[client]
            session.leave()

        client.leave = leave

    def _on_dashboard(self, client: Client, line: str) -> None:
        self.send(client, f"{reply_to(self.controller, line)}\n".encode())
        if line.strip().lower() == "quit":
            raise ClientGone

    def _by_program(self) -> Callable[[bytes], None]:
        received = ""

        def take(data: bytes) -> None:
            nonlocal received
            whole, received = programs(received + data.decode("ascii", "replace"))
            if len(received) > LONGEST_SCRIPT:
                raise ClientGone
            for script in whole:
                program = program_of(self.controller, script)
                if program is not None:
                    self.controller.run(program)

        return take


def _by_line(on_line: Callable[[str], None]) -> Callable[[bytes], None]:
    """Return what takes bytes and hands on whole lines. Raises ClientGone for one without an end."""
    received = b""

    def take(data: bytes) -> None:
        nonlocal received
        *lines, received = (received + data).split(b"\n")
        if len(received) > LONGEST_LINE:
            raise ClientGone
        for line in lines:
            on_line(line.decode("utf-8", "replace"))

    return take
