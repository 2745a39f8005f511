"""pypylon reads this when it is loaded: before any test of this folder loads it."""

import os

os.environ.setdefault("PYLON_CAMEMU", "1")
