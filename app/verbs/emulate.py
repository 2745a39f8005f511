"""`emulate`: one arm controller that speaks the vendor's protocol, until it is stopped."""

import argparse

from app.verbs.options import Verb
from app.verbs.output import Output, Refused
from app.workspace import Workspace
from hardware.robots.emulator.config import CONTROL_PORT, MODELS
from hardware.robots.emulator.process import run_standalone


def add(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]", shared: argparse.ArgumentParser) -> None:
    """Add the verb to the command line."""
    p = verbs.add_parser(
        "emulate",
        parents=[shared],
        help="emulate one arm controller",
        description="Serve one emulated controller over the vendor's own protocol on a loopback address; prints "
        '"ready" when it listens, and runs until it is stopped (Ctrl+C).',
    )
    p.add_argument("vendor", choices=["xarm"], help="whose controller")
    p.add_argument("--host", default="127.0.0.1", help="loopback address to listen on (default: %(default)s)")
    p.add_argument("--port", type=int, default=CONTROL_PORT, help="its control port (default: %(default)s)")
    p.add_argument(
        "--model", choices=list(MODELS), default=MODELS[0], help="the arm's model (default: %(default)s)"
    )
    p.set_defaults(run=run)


def run(arguments: argparse.Namespace, workspace: Workspace, output: Output) -> int:
    if not 0 < arguments.port < 65536:
        raise Refused(f"--port: {arguments.port}; valid: 1 to 65535")
    return run_standalone(arguments.host, arguments.port, arguments.model)


VERB: Verb = add
