"""Poses of an arm that a person saved by name: poses.toml of the workspace, by rig and arm.

[sim.left."above the board"]
model = "xarm7"
q_deg = [0.0, -46.0, 0.0, 64.0, 0.0, 110.0, 0.0]
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hardware.geometry import Array
from hardware.rig import ArmConfig
from hardware.types import require
from hardware.whole_file import write_whole
from models.data.fields import Fields
from models.data.text_files import read_table, to_toml

_LONGEST = 60


@dataclass(frozen=True, eq=False)
class SavedPose:
    """Joints q (J,) [rad] of an arm of `model`."""

    model: str
    q: Array

    def __post_init__(self) -> None:
        require(
            self.q.ndim == 1 and bool(np.isfinite(self.q).all()), f"pose: q_deg {self.q} is not (J,) of numbers"
        )


class SavedPoses:
    """Reads the file at every question: a person may edit it, and another window may have saved."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def of(self, rig: str, arm: ArmConfig) -> Mapping[str, SavedPose]:
        """Return the poses of an arm by name, in the order they were saved; those for another model left out.

        Raises DreamFileError naming file and field where the file is broken.
        """
        rows = self._inner(self._inner(self._table(), rig), arm.name)
        poses = {name: _pose(self._inner(rows, name)) for name in rows.values}
        return {name: p for name, p in poses.items() if p.model == arm.model and len(p.q) == len(arm.home)}

    def save(self, rig: str, arm: ArmConfig, name: str, q: Array) -> None:
        """Save q (J,) [rad] under a name; one of that name is replaced. Raises ValueError, OSError."""
        name = name.strip()
        require(0 < len(name) <= _LONGEST, f"pose: the name {name!r} is not 1 to {_LONGEST} characters long")
        require(len(q) == len(arm.home), f"pose: {arm.name} has {len(arm.home)} joints, not {len(q)}")
        row = {"model": arm.model, "q_deg": [round(float(x), 4) for x in np.degrees(q)]}
        self._write(rig, arm, {**self._rows(rig, arm), name: row})

    def delete(self, rig: str, arm: ArmConfig, name: str) -> None:
        """Forget a pose; one that is not there is forgotten already. Raises DreamFileError, OSError."""
        rows = self._rows(rig, arm)
        self._write(rig, arm, {key: row for key, row in rows.items() if key != name})

    def _rows(self, rig: str, arm: ArmConfig) -> Mapping[str, object]:
        return self._inner(self._inner(self._table(), rig), arm.name).values

    def _write(self, rig: str, arm: ArmConfig, rows: Mapping[str, object]) -> None:
        table = self._table()
        arms = {**self._inner(table, rig).values, arm.name: rows}
        write_whole(self._path, to_toml({**table.values, rig: arms}))

    def _table(self) -> Fields:
        return Fields(read_table(self._path) if self._path.exists() else {}, self._path)

    def _inner(self, table: Fields, name: str) -> Fields:
        return table.table(name, "a table") if name in table.values else Fields({}, self._path)


def _pose(row: Fields) -> SavedPose:
    return SavedPose(
        row.get("model", str, "a model of arm such as xarm7"),
        np.radians(row.array("q_deg", (-1,), "its joints [deg]")),
    )
