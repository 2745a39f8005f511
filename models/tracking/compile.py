"""`python -m models.tracking.compile`: compiles the tracker once, so that the first dream does not wait for it."""

import time
from pathlib import Path

from models.data.dream_folder import load_dream
from models.tracking.stereo_tracker import track

EXAMPLE = Path(__file__).parents[2] / "assets" / "dreams" / "example"


def main() -> None:
    """Track the built-in example; numba keeps what it compiled beside the sources, or in the user's cache."""
    begin = time.monotonic()
    print("compiling the tracker (once, about half a minute) ...", flush=True)
    track(load_dream(EXAMPLE))
    print(f"done in {time.monotonic() - begin:.0f} s")


if __name__ == "__main__":
    main()
