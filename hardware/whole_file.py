"""Files that appear whole or not at all: after a crash or on a full disk the old one is still there."""

import os
import tempfile
from pathlib import Path


def _umask() -> int:
    # it can only be read by setting it, for all threads at once: not while files are written
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


_UMASK = _umask()


def write_whole(path: Path, data: str | bytes) -> None:
    """Write a file (text as UTF-8) beside its place, bring it to the disk, and put it there in one step.

    Raises OSError; the file is then as it was before.
    """
    handle, part = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data.encode() if isinstance(data, str) else data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(part, 0o666 & ~_UMASK)  # a temporary file is readable by its maker alone
        os.replace(part, path)
    except BaseException:
        Path(part).unlink(missing_ok=True)
        raise
