"""Every preference in one table: the file, its reader and page Preferences are made from it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Value = str | float
Kind = Literal["text", "choice", "number", "file", "folder"]
SCALES = ("1", "1.1", "1.25", "1.5", "1.75", "2")


@dataclass(frozen=True)
class SettingRow:
    """One preference.

    name: the field of Settings; key: "section.key" in the file; about: one sentence for a person; choices: words by
    value; low, high: bounds of a number, 0 besides meaning "as the rig says"; unit: of the number; restart: whether
    it takes effect at the next start only.
    """

    name: str
    key: str
    title: str
    about: str
    kind: Kind = "text"
    default: Value = ""
    choices: Mapping[str, str] = field(default_factory=dict)
    low: float = 0.0
    high: float = 0.0
    unit: str = ""
    restart: bool = False

    @property
    def section(self) -> str:
        return self.key.split(".")[0]

    def problem(self, value: object) -> str:
        """Return why this value cannot be taken, with what would be valid; "" where it can."""
        if self.kind == "number":
            return self._number_problem(value)
        if not isinstance(value, str):
            return f"{value!r} is not a text"
        if self.kind == "choice" and value not in self.choices:
            return f"{value!r} is unknown; valid: {list(self.choices)}"
        plain = value.isprintable() and value == value.encode("utf-8", "ignore").decode()
        return "" if plain else f"{value!r} holds characters that cannot be shown"

    def _number_problem(self, value: object) -> str:
        valid = f"valid: {self.low:g} to {self.high:g} {self.unit}, or 0 for what the rig says"
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            return f"{value!r} is not a number; {valid}"
        return "" if value == 0 or self.low <= value <= self.high else f"{value!r} is out of bounds; {valid}"


def _safety(name: str, title: str, about: str, low: float, high: float, unit: str) -> SettingRow:
    return SettingRow(name, f"safety.{name}", title, about, "number", 0.0, {}, low, high, unit, restart=True)


SETTINGS: tuple[SettingRow, ...] = (
    SettingRow(
        "workspace",
        "general.workspace",
        "Workspace",
        "Folder of dreams, runs and ledger that the window opens. Empty: your user data folder. "
        "--workspace on the command line comes first.",
        "folder",
        restart=True,
    ),
    SettingRow(
        "ledger",
        "general.ledger",
        "Ledger",
        "SQLite file in which everything that was made is written down. Empty: ledger.sqlite of the workspace.",
        "file",
        restart=True,
    ),
    SettingRow(
        "person",
        "general.person",
        "Who approves here",
        "Name that is written down with every approval. Empty: the user of this machine.",
    ),
    SettingRow(
        "length",
        "general.length",
        "Lengths",
        "How lengths and speeds are shown on page Rig: cards of arms, load, table. Elsewhere units are fixed.",
        "choice",
        "as_fits",
        {"as_fits": "as it fits: 5 mm, 0.25 m", "mm": "always mm", "m": "always m"},
    ),
    SettingRow(
        "angle",
        "general.angle",
        "Angles",
        "How angles are shown on page Rig: cards of arms. Elsewhere degrees.",
        "choice",
        "deg",
        {"deg": "degrees", "rad": "radians"},
    ),
    SettingRow(
        "decimal",
        "general.decimal",
        "Numbers",
        "The decimal sign on page Rig: cards of arms, load, table. Everywhere else a point.",
        "choice",
        "point",
        {"point": "0.25 (point)", "comma": "0,25 (comma)"},
    ),
    SettingRow(
        "theme",
        "appearance.theme",
        "Theme",
        "Dark is made to be read from two metres away; high contrast is darker and louder still.",
        "choice",
        "dark",
        {"dark": "dark", "light": "light", "contrast": "high contrast"},
    ),
    SettingRow(
        "scale",
        "appearance.scale",
        "Size of texts and buttons",
        "Everything in the window grows alike, so nothing is cut off.",
        "choice",
        "1",
        {scale: f"{float(scale):.0%}" for scale in SCALES},
        restart=True,
    ),
    SettingRow(
        "megapose_python",
        "tracking.megapose_python",
        "MegaPose: Python",
        "The python program of the environment in which MegaPose is installed. Empty: MegaPose is not used.",
        "file",
    ),
    SettingRow(
        "megapose_data",
        "tracking.megapose_data_dir",
        "MegaPose: data",
        "Folder with MegaPose's weights.",
        "folder",
    ),
    _safety("tip_speed", "Fastest tool tip", "Lowers the rig's limit of tool-tip speed.", 0.02, 0.25, "m/s"),
    _safety(
        "first_run_tip_speed",
        "Fastest tool tip, first run",
        "Lowers the limit for the first run of a plan.",
        0.02,
        0.10,
        "m/s",
    ),
    _safety("tip_acceleration", "Greatest acceleration", "Lowers the rig's limit.", 0.1, 2.0, "m/s²"),
    _safety("min_tip_height", "Lowest tool tip", "Raises the least height above the table.", 0.001, 0.10, "m"),
    _safety("max_force", "Largest force", "Lowers the external force at which arms stop.", 5.0, 60.0, "N"),
    SettingRow(
        "rig",
        "devices.rig",
        "Rig",
        "The rig.toml that the window opens, or sim for the built-in one. --rig comes first.",
        "file",
        "sim",
        restart=True,
    ),
    SettingRow(
        "rig_folder",
        "devices.folder",
        "Folder of rigs",
        "Where a rig file without a folder is looked for. Empty: the folder the program was started in.",
        "folder",
        restart=True,
    ),
)
ROWS: Mapping[str, SettingRow] = {row.name: row for row in SETTINGS}
SHORTCUTS = "shortcuts"
