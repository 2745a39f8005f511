"""What the machine and its processes use."""

import os
from pathlib import Path

import psutil
import pytest

from app.jobs import usage
from app.jobs.types import Gpu
from app.jobs.usage import Processors, gpu_memory_of, nvidia_gpus

ANSWERS = """#!/bin/sh
case "$1" in
    --query-gpu=*) cat <<END
0, GPU-aaaa-1, NVIDIA H200, 143771, 1024, 35
1, GPU-bbbb-2, NVIDIA GB10, [N/A], [N/A], [N/A]
END
    ;;
    --query-compute-apps=*) cat <<END
100, 512
200, 256
300, [N/A]
END
    ;;
esac
"""


@pytest.fixture
def driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two cards, as NVIDIA's program tells of them."""
    program = tmp_path / "nvidia-smi"
    program.write_text(ANSWERS)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    for asked in (usage._cards, usage._apps):
        monkeypatch.setattr(asked, "_until", float("-inf"))
        monkeypatch.setattr(asked, "_rows", [])


@pytest.mark.usefixtures("driver")
def test_cards_are_known_with_what_their_driver_says_of_them() -> None:
    first, second = nvidia_gpus()
    assert first == Gpu("0", "NVIDIA H200", 143771 * 2**20, 2**30, 0.35)
    assert second == Gpu("1", "NVIDIA GB10", 0, 0, None)
    assert gpu_memory_of({100, 200, 7}) == 768 * 2**20
    assert gpu_memory_of({300}) is None


@pytest.mark.usefixtures("driver")
@pytest.mark.parametrize(
    ("visible", "indices"), [("1", ["1"]), ("GPU-aaaa", ["0"]), ("", []), ("1,0", ["0", "1"]), ("7", [])]
)
def test_only_the_cards_are_used_that_the_person_left(
    visible: str, indices: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert [gpu.index for gpu in nvidia_gpus()] == indices


def test_a_process_uses_what_it_and_its_children_use() -> None:
    processors = Processors()
    family = (psutil.Process(),)
    assert processors.used_by(family).cpu == 0.0
    sum(range(3_000_000))
    used = processors.used_by(family)
    assert used.cpu > 0.0
    assert used.memory > 2**20
