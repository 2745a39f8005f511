"""`make bench`: every timed figure with the machine it ran on. `--json FILE` keeps them, `--only NAME` picks."""

import argparse
import importlib
import json
import sys
import traceback
from pathlib import Path

from tests.bench.machine import machine

HERE = Path(__file__).parent


def benches() -> list[str]:
    """Names of the modules in this folder that have a `run`, in the order they are run."""
    return sorted(file.stem for file in HERE.glob("*.py") if "\ndef run(" in file.read_text())


def flat(figures: object, prefix: str = "") -> list[tuple[str, object]]:
    """Turn nested figures into (dotted name, value) rows."""
    if not isinstance(figures, dict):
        return [(prefix, figures)]
    return [row for key, value in figures.items() for row in flat(value, f"{prefix}.{key}" if prefix else str(key))]


def show(figures: object) -> None:
    for name, value in flat(figures):
        print(f"  {name:<52} {value:.4g}" if isinstance(value, float) else f"  {name:<52} {value}", flush=True)


def main() -> int:
    """Run the benches and print their figures; a bench that breaks is reported and makes the exit status 1."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", action="append", choices=benches(), help="run this bench alone (repeatable)")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    arguments = parser.parse_args()
    results: dict[str, object] = {"machine": machine()}
    print("machine")
    show(results["machine"])
    broken = False
    for name in arguments.only or benches():
        print(name, flush=True)
        try:
            results[name] = importlib.import_module(f"tests.bench.{name}").run()
            show(results[name])
        except Exception:
            broken = True
            traceback.print_exc()
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=1))
    return int(broken)


if __name__ == "__main__":
    sys.exit(main())
