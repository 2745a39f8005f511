"""Dreamdeck: no arguments opens the window; verbs run the same work headless (see docs/cli.md)."""

import os
import sys

# Before numpy loads, and for every process started from here: its matrices are small, and a BLAS pool that wants
# all cores holds up the window (an outline took 25 ms instead of 1.5 ms beside a busy worker).
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
# Threads of torch that wait for each other must give the core away: on a busy computer a small dream took 69 s of
# which 7.4 s were computing and spinning, now 8 s with 0.7 s of computing.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

from app.cli import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
