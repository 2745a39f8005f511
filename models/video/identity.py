"""Which very model it is: told by its weights, whatever its folder is called."""

import hashlib
from pathlib import Path

AT_ONCE = 1 << 22


def weights_sha256(folder: Path) -> str:
    """Return the sha256 over the names and bytes of all weights of a model's folder. Raises OSError."""
    digest = hashlib.sha256()
    for file in sorted(folder.rglob("*.safetensors")):
        digest.update(file.relative_to(folder).as_posix().encode() + b"\0")
        with file.open("rb") as stream:
            while block := stream.read(AT_ONCE):
                digest.update(block)
    return digest.hexdigest()
