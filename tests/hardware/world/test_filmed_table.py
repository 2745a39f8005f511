"""The table of a trial: how it is left is how it is seen, and who watches changes nothing."""

import pytest

from tests.hardware.world.filmed import Seen, seen
from tests.hardware.world.rendering import elsewhere


@pytest.fixture(scope="module")
def made() -> Seen:
    (found,) = elsewhere(seen, ((), {}))
    return found  # type: ignore[no-any-return]


def test_things_are_seen_where_somebody_put_them(made: Seen) -> None:
    assert made["moved_mm"] < 0.5
    assert made["changed"] > 1.0
    assert made["bare again"] == 0  # the same places, the same picture


def test_a_show_without_pictures_ends_as_one_with_pictures(made: Seen) -> None:
    assert made["apart_mm"] == 0
    assert made["last_s"] == 2.0


def test_the_same_person_shows_the_same_table_again_in_the_same_way(made: Seen) -> None:
    assert made["another_mm"] == 0
