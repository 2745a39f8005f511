"""A simulated table is judged by its task's published rule while an arm works on it."""

import time
from collections.abc import Iterator

import numpy as np
import pytest

from app.dreams.table_witness import TableWitness
from hardware.rig import load_rig
from hardware.world.process import WorldProcess
from hardware.world.tasks.layout import lying_at
from hardware.world.tasks.table import lay

RIG = load_rig("sim")


@pytest.fixture(scope="module")
def world() -> Iterator[WorldProcess]:
    with WorldProcess(RIG, task="sweeping", seed=2, size=(64, 48)) as running:
        yield running


def test_a_particle_that_is_swept_to_the_star_is_seen(world: WorldProcess) -> None:
    layout = lay("sweeping", 2)
    world.reset(2, "sweeping")
    witness = TableWitness(RIG, lambda: world)
    witness.begin()
    time.sleep(0.5)
    untouched = witness.end()
    assert untouched is not None
    assert not untouched.success
    witness.begin()
    world.place("particle0", lying_at(layout.T_world_mark["star"][:2, 3]))
    time.sleep(0.5)
    swept = witness.end()
    assert swept is not None
    assert swept.success
    assert swept.measures["nearest_mm"] < 20
    assert witness.end() == swept  # it stays what it was


def test_a_turn_that_nothing_touched_is_no_success(world: WorldProcess) -> None:
    world.reset(2, "rotation")
    witness = TableWitness(RIG, lambda: world)
    start = world.truth().T_world_object["thing"]
    witness.begin()
    for degrees in range(0, 40, 5):
        turn = np.eye(4)
        c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
        turn[:2, :2] = [[c, -s], [s, c]]
        turned = start.copy()
        turned[:3, :3] = turn[:3, :3] @ start[:3, :3]
        world.place("thing", turned)
        time.sleep(0.15)
    verdict = witness.end()
    assert verdict is not None
    assert verdict.measures["turn_deg"] > 25
    assert not verdict.success


def test_of_a_real_table_nothing_is_said() -> None:
    witness = TableWitness(RIG, lambda: None)
    witness.begin()
    assert witness.end() is None
