"""Writes the pictures of dreaming and `dream-loop.webp`: `python -m tests.take_dream_tour [FOLDER [MODEL]]`.

Into docs/images, with the shipped model, unless named.
"""

import os
import sys
import tempfile
from pathlib import Path


def main() -> int:
    """Take the tour in a workspace that is thrown away."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    os.environ.setdefault("MUJOCO_GL", "egl")
    # here, because every process that the tour starts imports this module again
    from PIL import Image

    from tests.dream_tour import take

    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "docs/images")
    model = Path(sys.argv[2]) if len(sys.argv) > 2 else None
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as workspace:
        for picture in take(folder, Path(workspace), model):
            Image.open(picture).convert("RGB").quantize(256).save(picture, optimize=True)
            print(picture)
    return 0


if __name__ == "__main__":
    sys.exit(main())
