"""Streams of plain numbers in an episode's file: read back as written, what is not known too."""

from pathlib import Path

import numpy as np
import pytest

from hardware.recording.files import Files
from hardware.recording.mcap_log import MCAP, open_episode
from hardware.recording.mcap_writer import Clock, EpisodeWriter
from hardware.recording.values import ValueInfo, Values


def test_numbers_are_read_back_with_their_times_and_names(tmp_path: Path) -> None:
    info = ValueInfo("policy", "action", 20.0, ("dx", "dy", "grip"), "m", "world")
    rows = np.random.default_rng(1).normal(size=(7, 3))
    rows[3, 1] = np.nan
    writer = EpisodeWriter(Files().create(tmp_path / MCAP), (), Clock(0.0, 0.0, True), values=(info,))
    for k, row in enumerate(rows):
        writer.values(Values("policy", k, k / 20, k / 20, row))
    writer.finish()
    with open_episode(tmp_path) as reader:
        assert reader.streams == {}
        assert reader.head.values == {"policy": info}
        np.testing.assert_allclose(reader.head.t_values("policy"), np.arange(7) / 20, atol=1e-9)
        np.testing.assert_array_equal(reader.values("policy"), rows)
        with pytest.raises(KeyError):
            reader.values("other")
