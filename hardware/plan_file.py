"""A plan as a file: canonical JSON whose sha256 names exactly these numbers.

Floats are written in Python's shortest exact form, so they return bit for bit; nan is null (a time without a
target), infinities are the strings "inf" and "-inf". Every number of a plan is a float: 1 and 1.0 are one plan.
The sha256 tells that a plan changed; it does not tell who wrote it: whoever edits a file can write a new one.
What lets a plan move an arm is an approval (hardware/safety.py).
"""

import hashlib
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import Field, fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hardware.geometry import Array
from hardware.types import ArmLimits, ArmPlan, Check, Clamp, Phase, Plan
from hardware.whole_file import write_whole

FORMAT = "dreamdeck plan 1"


def canonical_json(value: object) -> str:
    """Return the one JSON text of a value: sorted keys, no spaces, exact floats.

    Takes dataclasses, mappings, sequences, numpy arrays and JSON scalars; raises TypeError for anything else.
    """
    return json.dumps(_plain(value), sort_keys=True, separators=(",", ":"), allow_nan=False)


def sha256_of(value: object) -> str:
    """Return the sha256 (hex) of a value: of its canonical JSON, each array in it replaced by its shape and the
    sha256 of its numbers as little-endian float64, which is a hundred times faster and as exact."""
    text = json.dumps(_plain(value, _digest), sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def plan_sha256(plan: Plan) -> str:
    """Return the sha256 (hex) over everything in a plan but its own `sha256` field."""
    return sha256_of(replace(plan, sha256=""))


def sealed(plan: Plan) -> Plan:
    """Return the plan with its sha256 filled in."""
    return replace(plan, sha256=plan_sha256(plan))


def save_plan(plan: Plan, path: Path | str) -> Plan:
    """Write a plan, sealed, and return it as written. The file appears whole or not at all."""
    plan, path = sealed(plan), Path(path)
    text = canonical_json({"format": FORMAT, **_fields(plan)})
    write_whole(path, text)
    return plan


def load_plan(path: Path | str) -> Plan:
    """Read a plan and verify its sha256.

    Raises ValueError naming the file, and the field where there is one: not JSON, another format, a missing or
    malformed field, or numbers that are not those the sha256 was made of. FileNotFoundError where there is none.
    """
    try:
        values = json.loads(Path(path).read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: not a plan file: {error}") from error
    if not isinstance(values, dict) or values.get("format") != FORMAT:
        found = values.get("format") if isinstance(values, dict) else type(values).__name__
        raise ValueError(f"{path}: format is {found!r}, not {FORMAT!r}")
    try:
        plan = _plan(values)
    except KeyError as error:
        raise ValueError(f"{path}: {error.args[0]} is missing") from error
    except (TypeError, ValueError, AttributeError) as error:
        raise ValueError(f"{path}: {error}") from error
    found = plan_sha256(plan)
    if found != plan.sha256:
        raise ValueError(
            f"{path}: sha256 is {plan.sha256!r}, but its content has {found!r}: "
            "it was changed after planning; plan again"
        )
    return plan


def _fields(value: Any) -> dict[str, object]:
    """By name; a field that came later says with "unless" which value is left out."""
    found = {field.name: (getattr(value, field.name), field.metadata) for field in fields(value)}
    return {name: v for name, (v, meta) in found.items() if "unless" not in meta or v != meta["unless"]}


def _listed(array: NDArray[Any]) -> object:
    """Nested lists of exact Python floats."""
    numbers = array.astype(np.float64)
    if bool(np.isfinite(numbers).all()):
        return numbers.tolist()
    objects = numbers.astype(object)
    objects[np.isnan(numbers)] = None
    objects[numbers == np.inf], objects[numbers == -np.inf] = "inf", "-inf"
    return objects.tolist()


def _digest(array: NDArray[Any]) -> object:
    numbers = array.astype("<f8")
    # there are many nan in binary and one in a file
    numbers[np.isnan(numbers)] = np.nan
    # the file has no shape for what is empty
    shape = [float(n) for n in numbers.shape] if numbers.size else []
    return {"shape": shape, "sha256": hashlib.sha256(numbers.tobytes()).hexdigest()}


def _plain(value: object, array: Callable[[NDArray[Any]], object] = _listed) -> object:
    if isinstance(value, np.ndarray):
        return array(value)
    if value is None or isinstance(value, (str, bool)):
        return value
    if isinstance(value, (float, int, np.floating, np.integer)):
        number = float(value)
        return number if math.isfinite(number) else None if math.isnan(number) else str(number)
    if is_dataclass(value):
        return _plain(_fields(value), array)
    if isinstance(value, Mapping):
        return {str(key): _plain(item, array) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item, array) for item in value]
    raise TypeError(f"{type(value).__name__} has no canonical JSON")


def _array(values: Mapping[str, Any], key: str) -> Array:
    try:
        return np.array(values[key], dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{key}: not an array of numbers ({error})") from error


def _number(value: Any) -> float | None:
    return None if value is None else float(value)


def _plan(values: Mapping[str, Any]) -> Plan:
    if not isinstance(values["emulated_only"], bool):
        raise ValueError(f"emulated_only: {values['emulated_only']!r} is not true or false")
    texts = {key: str(values[key]) for key in ("dream", "track_sha256", "rig_sha256", "sha256")}
    return Plan(
        t=_array(values, "t"),
        arms=tuple(_arm(v) for v in values["arms"]),
        phases=tuple(Phase(str(v["name"]), float(v["start"]), float(v["end"])) for v in values["phases"]),
        clip_frame=_array(values, "clip_frame"),
        speed_scale=float(values["speed_scale"]),
        limits={str(name): _limits(v) for name, v in values["limits"].items()},
        checks=tuple(_check(v) for v in values["checks"]),
        clamps=tuple(Clamp(v["arm"], _span(v["span"]), float(v["amount"]), v["text"]) for v in values["clamps"]),
        emulated_only=values["emulated_only"],
        **texts,
    )


def _arm(values: Mapping[str, Any]) -> ArmPlan:
    arrays = {key: _array(values, key) for key in ("q", "T_base_tool", "target_T_base_tool")}
    return ArmPlan(str(values["arm"]), str(values["model"]), str(values["tool"]), **arrays)


def _limits(values: Mapping[str, Any]) -> ArmLimits:
    names = ("q_lower", "q_upper", "dq_max", "ddq_max", "workspace")
    arrays: dict[str, Any] = {key: _array(values, key) for key in names}
    rest = [field for field in fields(ArmLimits) if field.name not in arrays and field.name != "source"]
    numbers: dict[str, Any] = {field.name: float(_value(values, field)) for field in rest}
    return ArmLimits(**arrays, **numbers, source={str(k): str(v) for k, v in values["source"].items()})


def _value(values: Mapping[str, Any], field: Field[Any]) -> Any:
    return values.get(field.name, field.metadata["unless"]) if field.metadata else values[field.name]


def _check(values: Mapping[str, Any]) -> Check:
    if values["status"] not in ("ok", "warning", "violation"):
        raise ValueError(f"checks.status: {values['status']!r} is not ok, warning or violation")
    texts = {key: str(values[key]) for key in ("rule", "status", "text", "arm", "unit", "hint")}
    numbers = {key: _number(values[key]) for key in ("value", "limit")}
    return Check(**texts, **numbers, spans=tuple(_span(span) for span in values["spans"]))  # type: ignore[arg-type]


def _span(values: Any) -> tuple[float, float]:
    start, end = values
    return float(start), float(end)
