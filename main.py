"""Dreamdeck: no arguments opens the window; verbs run the same work headless (see docs/cli.md)."""

import sys

from app.cli import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
