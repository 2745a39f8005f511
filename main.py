"""Dreamdeck: no arguments opens the window; verbs run the same work headless (see docs/cli.md)."""

import os
import sys

# Before numpy loads, and for every process started from here: its matrices are small, and a BLAS pool that wants
# all cores holds up the window (an outline took 25 ms instead of 1.5 ms beside a busy worker).
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from app.cli import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
