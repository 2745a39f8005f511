"""The servo processes of a rig as their owner sees them: start, ask, end. One per arm, started and joined here."""

import contextlib
import multiprocessing
import time
from collections.abc import Iterable, Mapping
from multiprocessing.connection import Connection as Pipe
from multiprocessing.process import BaseProcess
from typing import Any

from hardware.rig import Rig
from hardware.robots.base import ArmError
from hardware.robots.hold_line import HoldLine
from hardware.robots.orders import Close, Order, Setup, answer
from hardware.robots.run_memory import ArmMemory, Phase, StopLine
from hardware.robots.servo_process import serve
from hardware.robots.servo_watch import WINDOW, Links
from hardware.safety import ApprovalError, session_key
from hardware.types import Tool

CLOSE_S = 5.0


class ServoProcesses:
    """names: the arms; memories in that order; stop_line and hold: shared with all. `stop_line` never waits."""

    def __init__(
        self, rig: Rig, tools: Mapping[str, Tool], nonces: Mapping[str, bytes], control_ports: Mapping[str, int]
    ) -> None:
        self._rig, self._tools, self._nonces, self._ports = rig, dict(tools), dict(nonces), dict(control_ports)
        self.names = tuple(arm.name for arm in rig.arms)
        self._context = multiprocessing.get_context("spawn")
        self.memories = tuple(ArmMemory(self._context) for _ in self.names)
        self.stop_line = StopLine(self._context, len(self.names))
        self.hold = HoldLine(self._context)
        self._processes: dict[str, BaseProcess] = {}
        self._orders: dict[str, Pipe] = {}
        self._lifeline: Pipe | None = None

    def by_name(self) -> Iterable[tuple[str, ArmMemory]]:
        return zip(self.names, self.memories, strict=True)

    @property
    def pids(self) -> Mapping[str, int]:
        return {name: process.pid or 0 for name, process in self._processes.items()}

    @property
    def all_alive(self) -> bool:
        return bool(self._processes) and all(process.is_alive() for process in self._processes.values())

    @property
    def dead(self) -> tuple[str, ...]:
        """Arms whose process has ended by itself."""
        return tuple(name for name, process in self._processes.items() if not process.is_alive())

    @property
    def started(self) -> bool:
        return bool(self._processes)

    def moving(self, phase: Phase) -> bool:
        """Whether an arm is in that phase, as far as its process can still say so."""
        return any(
            memory.phase == phase and name in self._processes and self._processes[name].is_alive()
            for name, memory in self.by_name()
        )

    def begin(self) -> None:
        """Start all servo processes. Each holds the writing end of its lifeline alone: its end is seen by all."""
        lifelines = {name: self._context.Pipe(duplex=False) for name in (*self.names, WINDOW)}
        for memory in self.memories:
            memory.phase = Phase.CLOSED
            memory.beat()
        for me, name in enumerate(self.names):
            ours, theirs = self._context.Pipe()
            heard = {other: pipe[0] for other, pipe in lifelines.items() if other != name}
            links = Links(me, self.names, self.memories, self.stop_line, heard, self.hold)
            setup = Setup(
                self._rig, name, self._tools, self._nonces.get(name), self._ports.get(name), session_key()
            )
            process = self._context.Process(
                target=serve, args=(setup, links, theirs, lifelines[name][1]), name=f"servo {name}", daemon=True
            )
            process.start()
            theirs.close()
            self._processes[name], self._orders[name] = process, ours
        for name, (reader, writer) in lifelines.items():
            reader.close()
            if name == WINDOW:
                self._lifeline = writer
            else:
                writer.close()

    def end(self) -> None:
        """Close all servo processes; they stop their arms first. Safe to call twice."""
        processes, orders, lifeline = self._processes, self._orders, self._lifeline
        # other threads may ask for the progress meanwhile: they find nothing that runs
        self._processes, self._orders, self._lifeline = {}, {}, None
        for pipe in orders.values():
            with contextlib.suppress(OSError):
                pipe.send(Close())
        for process in processes.values():
            process.join(CLOSE_S)
            if process.is_alive():
                process.kill()
                process.join()
            process.close()
        for pipe in (*orders.values(), *([lifeline] if lifeline is not None else [])):
            pipe.close()

    def send(self, name: str, order: Order) -> None:
        """Send an order that has no answer."""
        self._orders[name].send(order)

    def ask(self, order: Order, arms: Iterable[str], timeout: float) -> dict[str, Any]:
        """Send an order to several arms and take all their answers; raise the first refusal after that."""
        arms = list(arms)
        refusals: list[Exception] = []
        found: dict[str, Any] = {}
        for name in arms:
            try:
                self._orders[name].send(order)
            except (KeyError, OSError):
                refusals.append(ArmError(f"{name}: it is not connected; connect first"))
        deadline = time.monotonic() + timeout
        for name in arms if not refusals else []:
            try:
                found[name] = answer(self._orders[name], max(deadline - time.monotonic(), 0.0))
            except TimeoutError:
                refusals.append(ArmError(f"{name}: no answer in {timeout:.0f} s; check cable and power"))
                # a late answer would be taken for the next one
                self._processes[name].kill()
            except (EOFError, OSError):
                refusals.append(ArmError(f"{name}: its servo process has ended; connect again"))
            except (ArmError, ApprovalError) as error:
                refusals.append(error)
        if refusals:
            raise refusals[0]
        return found
