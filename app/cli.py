"""The verbs of main.py."""

from collections.abc import Sequence


def main(arguments: Sequence[str]) -> int:
    """Run one verb; return the exit status."""
    raise NotImplementedError
