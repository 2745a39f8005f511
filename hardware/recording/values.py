"""Streams of plain numbers that no device of a rig delivers: actions and states of imported demonstrations."""

from dataclasses import dataclass

from hardware.geometry import Array


@dataclass(frozen=True)
class ValueInfo:
    """kind: what the numbers are to whoever reads them, such as "action"; columns: their names; unit: "" where
    columns differ; frame: what poses are relative to."""

    name: str
    kind: str
    rate_hz: float
    columns: tuple[str, ...]
    unit: str = ""
    frame: str = ""


@dataclass(frozen=True, eq=False)
class Values:
    """One sample: values (C,), nan for what is not known. Times [s] as in `hardware.stream`."""

    stream: str
    index: int
    t_host: float
    t_device: float
    values: Array
