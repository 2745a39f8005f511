"""`emulate`: one arm controller that speaks the vendor's protocol, until it is stopped."""

import argparse

from app.verbs.options import Verb
from app.verbs.output import Output, Refused
from app.workspace import Workspace
from hardware.robots.emulator.config import CONTROL_PORT, MODELS, RTDE_PORT, models_of
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
    p.add_argument("vendor", choices=["xarm", "ur"], help="whose controller")
    p.add_argument("--host", default="127.0.0.1", help="loopback address to listen on (default: %(default)s)")
    p.add_argument(
        "--port",
        type=int,
        help=f"its control port (default: xarm {CONTROL_PORT}, ur {RTDE_PORT}, which ur-rtde has fixed)",
    )
    p.add_argument("--model", choices=list(MODELS), help="the arm's model (default: xarm7, or ur5e for ur)")
    p.set_defaults(run=run)


def run(arguments: argparse.Namespace, workspace: Workspace, output: Output) -> int:
    if arguments.port is not None and not 0 < arguments.port < 65536:
        raise Refused(f"--port: {arguments.port}; valid: 1 to 65535")
    models = models_of(arguments.vendor)
    model = arguments.model or models[-1]
    if model not in models:
        raise Refused(f"--model: {model} is no {arguments.vendor}; valid: {', '.join(models)}")
    return run_standalone(arguments.host, arguments.port or 0, model)


VERB: Verb = add
