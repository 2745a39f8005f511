"""What is plugged in, as the lines of a rig.toml that name it."""

from collections.abc import Sequence

from hardware.devices import FoundDevice

SIZES = {"realsense": (1280, 720), "basler": (1024, 1024), "webcam": (1280, 720)}


def toml_lines(devices: Sequence[FoundDevice]) -> str:
    """Return a table for each device, ready for a rig.toml: names and roles are a person's to choose."""
    counts: dict[str, int] = {}
    tables = []
    for device in devices:
        counts[device.driver] = number = counts.get(device.driver, 0) + 1
        tables.append("\n".join(_table(device, f"{device.driver}{number}")))
    return "\n\n".join(tables)


def _table(device: FoundDevice, name: str) -> list[str]:
    head = [f"[[{'sensors' if device.driver == 'force' else 'cameras'}]]  # {_one_line(device.what)}"]
    head += [f'name = "{name}"', f'driver = "{device.driver}"']
    if device.driver == "force":
        return [*head, f"port = {_quoted(device.serial)}", "newton_per_count = 0.001  # the sensor's own scale"]
    width, height = SIZES.get(device.driver, (1280, 720))
    return [*head, f"serial = {_quoted(device.serial)}", f"size = [{width}, {height}]"]


def _quoted(text: str) -> str:
    """A TOML string: a port of Windows has backslashes."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _one_line(text: str) -> str:
    return " ".join(text.split())
