"""What is known of an episode besides its samples: `episode.json` beside the MCAP file."""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Literal, get_args

NOTE = "episode.json"
FORMAT = 1
LARGEST = 16 * 2**20
NoteState = Literal["recording", "recorded", "kept"]
Level = Literal["ok", "mark", "bad"]


class EpisodeFileError(ValueError):
    """A file of an episode cannot be used. The message names the file, what is wrong and what to do."""


@dataclass(frozen=True)
class Verdict:
    """What a check found. level: "mark" for a small flaw, "bad" for a take that is better made again."""

    check: str
    level: Level
    text: str
    stream: str = ""
    spans: tuple[tuple[float, float], ...] = ()  # in seconds since the episode's start


@dataclass(frozen=True)
class Override:
    """A gate that a person passed all the same, and why."""

    gate: str
    reason: str


@dataclass(frozen=True)
class EpisodeNote:
    """One episode. number: its counter in the session; started: wall time, ISO 8601; duration_s: 0 while it runs;
    clock: "host" or "virtual"; flaws: by stream and kind, samples concerned; mcap_sha256: "" until it is finished;
    recovered: it ended without being stopped; success: what a simulation knows, None for nobody knows."""

    id: str
    number: int
    task: str
    state: NoteState = "recording"
    object: str = ""
    condition: str = ""
    instruction: str = ""
    seed: int | None = None
    started: str = ""
    duration_s: float = 0.0
    clock: str = "host"
    success: bool | None = None
    streams: tuple[str, ...] = ()
    samples: Mapping[str, int] = field(default_factory=dict)
    flaws: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    verdicts: tuple[Verdict, ...] = ()
    overrides: tuple[Override, ...] = ()
    scene: tuple[str, ...] = ()
    mcap_sha256: str = ""
    mcap_bytes: int = 0
    recovered: bool = False
    details: Mapping[str, str] = field(default_factory=dict)

    def text(self) -> str:
        """Return the note as JSON."""
        return json.dumps({"format": FORMAT, **asdict(self)}, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def read_note(path: Path) -> EpisodeNote:
    """Read an episode.json. Raises EpisodeFileError naming file, field, value and what is valid."""
    try:
        raw = path.read_bytes()[:LARGEST]
        values = json.loads(raw)
    except FileNotFoundError as error:
        raise EpisodeFileError(f"{path}: there is no such file; recover the dataset") from error
    except (OSError, ValueError, RecursionError) as error:
        raise EpisodeFileError(f"{path}: it is not readable JSON ({error}); recover the dataset") from error
    if not isinstance(values, dict):
        raise EpisodeFileError(f"{path}: it holds a {type(values).__name__}; valid: an object")
    if values.pop("format", None) != FORMAT:
        raise EpisodeFileError(f"{path}: format: valid: {FORMAT}; a newer version of this program wrote it")
    return _note(values, path)


def _note(values: dict[str, object], path: Path) -> EpisodeNote:
    known = {f.name for f in fields(EpisodeNote)}
    kept = {key: value for key, value in values.items() if key in known}
    for key, wanted in _TYPES.items():
        if key not in kept:
            if key in ("id", "number", "task"):
                raise EpisodeFileError(f"{path}: {key}: is missing")
            continue
        value = kept[key]
        right = isinstance(value, wanted) and not (isinstance(value, bool) and bool not in wanted)
        if not right or (isinstance(value, float) and not math.isfinite(value)):
            names = " or ".join("null" if t is type(None) else t.__name__ for t in wanted)
            raise EpisodeFileError(f"{path}: {key}: {str(value)[:80]!r}; valid: {names}")
    if kept.get("state", "recording") not in get_args(NoteState):
        raise EpisodeFileError(f"{path}: state: {kept['state']!r}; valid: {list(get_args(NoteState))}")
    try:
        kept["verdicts"] = tuple(_verdict(v) for v in kept.get("verdicts", ()))  # type: ignore[attr-defined]
        kept["overrides"] = tuple(Override(str(v["gate"]), str(v["reason"])) for v in kept.get("overrides", ()))  # type: ignore[attr-defined]
        kept["flaws"] = {s: {k: int(n) for k, n in by.items()} for s, by in kept.get("flaws", {}).items()}  # type: ignore[attr-defined]
        kept["samples"] = {s: int(n) for s, n in kept.get("samples", {}).items()}  # type: ignore[attr-defined]
        kept["details"] = {s: str(n) for s, n in kept.get("details", {}).items()}  # type: ignore[attr-defined]
        kept["streams"] = tuple(str(v) for v in kept.get("streams", ()))  # type: ignore[attr-defined]
        kept["scene"] = tuple(str(v) for v in kept.get("scene", ()))  # type: ignore[attr-defined]
        return EpisodeNote(**kept)  # type: ignore[arg-type]
    except (TypeError, KeyError, ValueError, AttributeError, OverflowError) as error:
        raise EpisodeFileError(f"{path}: a field is not what it should be ({error!r})") from error


LEVELS: Mapping[object, Level] = {"ok": "ok", "mark": "mark", "bad": "bad"}


def _verdict(values: Mapping[str, object]) -> Verdict:
    level = LEVELS[values["level"]]
    spans = tuple((float(a), float(b)) for a, b in values.get("spans", ()))  # type: ignore[attr-defined]
    return Verdict(str(values["check"]), level, str(values["text"]), str(values.get("stream", "")), spans)


_NONE = type(None)
_TYPES: Mapping[str, tuple[type, ...]] = {
    "id": (str,), "number": (int,), "task": (str,), "state": (str,), "object": (str,), "condition": (str,),
    "instruction": (str,), "seed": (int, _NONE), "started": (str,), "duration_s": (float, int), "clock": (str,),
    "success": (bool, _NONE), "streams": (list,), "samples": (dict,), "flaws": (dict,), "verdicts": (list,),
    "overrides": (list,), "scene": (list,), "mcap_sha256": (str,), "mcap_bytes": (int,), "recovered": (bool,),
    "details": (dict,),
}  # fmt: skip
