"""What the window opens: workspace, rig and limits, from the settings. Nothing in them keeps it from opening."""

from dataclasses import replace
from pathlib import Path

from app.settings import Settings, read_settings
from app.workspace import Workspace, WorkspaceError, default_root, open_workspace
from hardware.rig import Rig, SafetyConfig, load_rig


def window_workspace(home: Path | None = None) -> tuple[Workspace, str]:
    """Return the workspace that the settings of the default one name, else that one; and a notice for a person."""
    root = home or default_root()
    chosen = read_settings(root / "settings.toml")[0].workspace
    if not chosen:
        return open_workspace(root), ""
    try:
        return open_workspace(Path(chosen)), ""
    except WorkspaceError as error:
        return open_workspace(root), f"The usual workspace is open instead of the chosen one: {error}"


def window_rig(settings: Settings) -> tuple[Rig, str]:
    """Return the rig that the settings name, else the simulated one; and what a person must know."""
    try:
        return load_rig(rig_file(settings)), ""
    except (OSError, ValueError) as error:
        return load_rig(), f"The simulated rig is open instead of {rig_file(settings)}: {error}"


def rig_file(settings: Settings) -> Path | str:
    """Return the file of the chosen rig, or "sim"."""
    if settings.rig in ("", "sim"):
        return "sim"
    return Path(settings.rig_folder).expanduser() / Path(settings.rig).expanduser()


def stricter(rig: Rig, settings: Settings) -> Rig:
    """Return the rig with the limits that a person lowered. A preference never makes a limit looser.

    Only `safety` differs: every place that holds a limit reads it from there, the servo processes too.
    """
    safety = rig.safety
    tip_speed = _least(safety.tip_speed, settings.tip_speed)
    stricter: SafetyConfig = replace(
        safety,
        tip_speed=tip_speed,
        first_run_tip_speed=min(_least(safety.first_run_tip_speed, settings.first_run_tip_speed), tip_speed),
        tip_acceleration=_least(safety.tip_acceleration, settings.tip_acceleration),
        min_tip_height=max(safety.min_tip_height, settings.min_tip_height),
        max_force=_least(safety.max_force, settings.max_force),
    )
    return replace(rig, safety=stricter)


def _least(limit: float, wish: float) -> float:
    """The smaller one; a wish of 0 means the rig's own limit."""
    return min(limit, wish) if wish > 0 else limit
