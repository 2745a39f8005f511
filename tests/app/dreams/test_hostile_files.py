"""Files from anywhere, spoilt in every way: a clear refusal that names the file, and nothing half imported."""

import contextlib
import shutil
import struct
import tracemalloc
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from app.dreams.import_files import import_dream
from hardware.rig import built_in_rigs, load_rig
from models.data.dream_folder import load_dream, load_track, save_dream, save_track
from models.data.errors import DreamFileError
from models.data.imports import read_dreamitate
from models.data.photo import read_photo
from tests.models.data.published import Published, make_track, write_published

ROUNDS = 4  # a file, always; `make test-slow` tries many more
MANY = 150
_TRICKS = (
    b"\x00",
    b"\xff" * 4,
    b"-1",
    b"1e999",
    b"nan",
    b"[[[[",
    b'"',
    b"}",
    b"\n",
    b"99999999999999999999",
    b"../",
)


def _spoilt(data: bytes, rng: np.random.Generator) -> bytes:
    """Cut short, flip, repeat, leave out or put in: one to three times."""
    out = bytearray(data)
    for _ in range(int(rng.integers(1, 4))):
        at = int(rng.integers(0, max(len(out), 1)))
        span = int(rng.integers(1, 64))
        kind = int(rng.integers(0, 5))
        if kind == 0:
            del out[at:]
        elif kind == 1:
            out[at : at + span] = rng.bytes(len(out[at : at + span]))
        elif kind == 2:
            out[at:at] = out[at : at + span] * 3
        elif kind == 3:
            del out[at : at + span]
        else:
            out[at:at] = _TRICKS[int(rng.integers(0, len(_TRICKS)))]
    return bytes(out)


def _try_all(files: list[Path], read: Callable[[], object], rounds: int) -> None:
    """Spoil each file in turn and read: it works, or it is refused with the file's own kind of error."""
    for number, file in enumerate(files):
        whole = file.read_bytes()
        rng = np.random.default_rng(number)
        for _ in range(rounds):
            file.write_bytes(_spoilt(whole, rng))
            with contextlib.suppress(DreamFileError):  # it names file and field: its constructor wants both
                read()
        file.write_bytes(whole)
    read()


@pytest.fixture
def published(tmp_path: Path) -> Published:
    folder = tmp_path / "published"
    folder.mkdir()
    return write_published(folder)


@pytest.fixture
def folder(published: Published, tmp_path: Path) -> Path:
    dream = read_dreamitate(published.video, published.scenes, published.calibration, published.tools)
    place = tmp_path / "dream"
    save_dream(dream, place)
    save_track(place, dream, make_track(dream))
    return place


def _opens(folder: Path) -> Callable[[], object]:
    return lambda: (load_dream(folder), load_track(folder))


def _imports(published: Published, out: Path) -> Callable[[], object]:
    """Import and look at what is left: the whole folder, or nothing at all."""

    def one() -> None:
        shutil.rmtree(out, ignore_errors=True)
        try:
            import_dream(published.video, published.scenes, published.calibration, published.tools, out)
        finally:
            left = [path.name for path in out.parent.iterdir()]
            assert left in ([], [out.name]), left
        load_dream(out)

    return one


def _sources(published: Published) -> list[Path]:
    return [published.video, *published.scenes, published.calibration, *published.tools.values()]


def test_a_spoilt_dream_folder_is_refused_by_the_name_of_the_file(folder: Path) -> None:
    _try_all(sorted(p for p in folder.rglob("*") if p.is_file()), _opens(folder), ROUNDS)


def test_a_spoilt_import_leaves_nothing_half_imported(published: Published, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    _try_all(_sources(published), _imports(published, tmp_path / "out" / "dream"), ROUNDS)


@pytest.mark.slow
@pytest.mark.timeout(3000)
def test_many_spoilt_dream_folders_are_refused(folder: Path) -> None:
    _try_all(sorted(p for p in folder.rglob("*") if p.is_file()), _opens(folder), MANY)


@pytest.mark.slow
@pytest.mark.timeout(3000)
def test_many_spoilt_imports_leave_nothing(published: Published, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    _try_all(_sources(published), _imports(published, tmp_path / "out" / "dream"), MANY)


def test_a_spoilt_rig_file_is_refused(tmp_path: Path) -> None:
    whole = built_in_rigs()["sim"].read_bytes()
    rng, file = np.random.default_rng(5), tmp_path / "rig.toml"
    said: list[str] = []
    for _ in range(60):
        file.write_bytes(_spoilt(whole, rng))
        try:
            load_rig(file)
        except ValueError as error:
            said.append(str(error))
    assert len(said) > 20
    assert all("rig.toml" in each for each in said)


def _png(width: int, height: int, data: bytes) -> bytes:
    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


@pytest.mark.parametrize(("width", "height"), [(100_000, 100_000), (2**31 - 1, 2**31 - 1), (0, 0), (7000, 7200)])
def test_a_photo_that_claims_to_be_huge_costs_a_message_and_no_memory(
    tmp_path: Path, width: int, height: int
) -> None:
    file = tmp_path / "top.png"
    file.write_bytes(_png(width, height, b"\0" * 1000))
    tracemalloc.start()
    try:
        with pytest.raises(DreamFileError, match=r"top\.png"):
            read_photo(file)
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()
