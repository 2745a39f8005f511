"""What is said of a take by itself: pure functions over an episode's facts, each with its limits beside it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from hardware.geometry import Array
from hardware.recording.flaws import Flaw
from hardware.recording.mcap_log import EpisodeReader
from hardware.recording.note import Level, Verdict
from hardware.stream import Pose, Reading, StreamInfo

MARK_UNDER_S = 1.0  # a flaw shorter than this marks a take; a longer one makes it bad
SKEW_PERIODS = 0.75  # cameras without a common trigger are up to half a period apart
BLURRED = 0.55  # of the take's own median sharpness
DARK, BRIGHT = 0.05, 0.92  # mean of a picture; a black table alone is no fault
MOST_DARK, MOST_BRIGHT = 0.7, 0.3  # fractions of a picture without any detail
SHORTEST_S = 1.0
ZERO_FORCE_N, ZERO_WITHIN_S = 0.5, 0.5
CONFIDENCE = 3
TOOL_TRACKING = "tool tracking"
LEAST_LOST_S = 0.2  # a tool that is lost for less can be interpolated


@dataclass(frozen=True, eq=False)
class EpisodeFacts:
    """What the checks look at. Times in host seconds. span: start and end; times, rates [Hz] that are to be kept by
    stream; pictures: camera -> (host time, sharpness, brightness ..); poses, forces, openings by stream."""

    span: tuple[float, float]
    times: Mapping[str, Array]
    rates: Mapping[str, float]
    cameras: tuple[str, ...]
    flaws: tuple[Flaw, ...]
    pictures: Mapping[str, tuple[tuple[float, Mapping[str, float]], ...]]
    poses: Mapping[str, tuple[Pose, ...]]
    forces: Mapping[str, tuple[Reading, ...]]
    openings: Mapping[str, tuple[Reading, ...]] = field(default_factory=dict)


def episode_facts(reader: EpisodeReader) -> EpisodeFacts:
    """Read what the checks need. Raises EpisodeFileError."""
    kinds = {name: info.kind for name, info in reader.streams.items()}
    times = {name: reader.times(name).t_host for name in reader.streams}
    return EpisodeFacts(
        reader.span,
        times,
        {name: pace(info, times[name]) for name, info in reader.streams.items()},
        reader.cameras,
        reader.flaws(),
        {name: reader.picture_states(name) for name in reader.cameras},
        {name: reader.poses(name) for name, kind in kinds.items() if kind == "pose"},
        {name: reader.readings(name) for name, kind in kinds.items() if kind == "force"},
        {name: reader.readings(name) for name, kind in kinds.items() if kind == "opening"},
    )


def pace(info: StreamInfo, t_host: Array) -> float:
    """Samples a second that a stream is held to: what was asked for; one that promised nothing, what it reached."""
    if not info.free_running or len(t_host) < 3:
        return info.rate_hz
    return min(info.rate_hz, 1.0 / max(float(np.median(np.diff(t_host))), 1e-3))


Check = Callable[[EpisodeFacts], Sequence[Verdict]]


def verdicts(facts: EpisodeFacts) -> tuple[Verdict, ...]:
    """Return everything that the checks find fault with, the worst first; empty: a good take."""
    found = [verdict for check in CHECKS for verdict in check(facts)]
    return tuple(sorted(found, key=lambda v: v.level != "bad"))


def length(facts: EpisodeFacts) -> list[Verdict]:
    seconds = facts.span[1] - facts.span[0]
    if seconds >= SHORTEST_S:
        return []
    return [Verdict("length", "bad", f"the take is {seconds:.1f} s long; was it started by mistake?")]


def drops(facts: EpisodeFacts) -> list[Verdict]:
    """Samples that are missing, in the device, in this computer, or because the stream was silent."""
    found = []
    for stream, rate in facts.rates.items():
        mine = [f for f in facts.flaws if f.stream == stream and f.kind != "duplicate"]
        if not mine:
            continue
        seconds, count = sum(f.seconds for f in mine), sum(f.count for f in mine)
        spans = tuple((f.t_host - facts.span[0] - f.seconds, f.t_host - facts.span[0]) for f in mine)
        kinds = ", ".join(dict.fromkeys(f.kind for f in mine))
        text = f"{stream}: {count} samples ({seconds:.2f} s at {rate:g} Hz): {kinds}"
        found.append(Verdict("drops", _level(seconds), text, stream, spans))
    return found


def skew(facts: EpisodeFacts) -> list[Verdict]:
    """How far each camera's pictures are from the nearest ones of the first camera."""
    times = {name: facts.times[name] for name in facts.cameras if len(facts.times[name])}
    found = []
    for name, mine in list(times.items())[1:]:
        first = next(iter(times.values()))
        period = 1.0 / min(facts.rates[name], facts.rates[next(iter(times))])
        apart = _nearest(mine, first)
        bad = apart > SKEW_PERIODS * period
        if bad.any():
            seconds = float(bad.sum()) / facts.rates[name]
            text = f"{name}: up to {apart.max() * 1e3:.0f} ms from {next(iter(times))} in {int(bad.sum())} pictures"
            found.append(Verdict("skew", _level(seconds), text, name))
    return found


def blur(facts: EpisodeFacts) -> list[Verdict]:
    """Pictures far less sharp than the others of the same camera."""
    found = []
    for name, states in facts.pictures.items():
        sharp = np.array([s.get("sharpness", np.nan) for _, s in states])
        if len(sharp) < 4:
            continue
        soft = sharp < BLURRED * np.nanmedian(sharp)
        found += _spanned("blur", name, states, soft, facts, "is blurred: something is too fast or out of focus")
    return found


def exposure(facts: EpisodeFacts) -> list[Verdict]:
    """Pictures that are too dark or too bright to show what they should."""
    found = []
    for name, states in facts.pictures.items():
        values = [(s.get("brightness", 0.5), s.get("dark", 0.0), s.get("bright", 0.0)) for _, s in states]
        rows = np.array(values).reshape(-1, 3)
        dark = (rows[:, 0] < DARK) | (rows[:, 1] > MOST_DARK)
        bright = (rows[:, 0] > BRIGHT) | (rows[:, 2] > MOST_BRIGHT)
        found += _spanned("exposure", name, states, dark, facts, "is too dark; more light, or a longer exposure")
        found += _spanned("exposure", name, states, bright, facts, "is too bright; shorten its exposure")
    return found


def force_zero(facts: EpisodeFacts) -> list[Verdict]:
    """A force sensor that does not stand at zero when a take begins: nothing is touched then."""
    found = []
    for name, readings in facts.forces.items():
        first = [r.value for r in readings if r.valid and r.t_host - facts.span[0] <= ZERO_WITHIN_S]
        if first and abs(float(np.median(first))) > ZERO_FORCE_N:
            text = f"{name}: {float(np.median(first)):+.1f} N at the start; zero it while nothing is touched"
            found.append(Verdict("force zero", "bad", text, name))
    return found


def pose_confidence(facts: EpisodeFacts) -> list[Verdict]:
    """A tracking camera that was not sure of itself, or moved its reference in the middle of a take."""
    found = []
    for name, poses in facts.poses.items():
        unsure = np.array([0 < p.confidence < CONFIDENCE for p in poses], bool)
        if unsure.any():
            seconds = float(unsure.sum()) / facts.rates[name]
            text = f"{name}: not sure of its pose for {seconds:.1f} s; show it more texture, move it more slowly"
            found.append(Verdict("pose confidence", _level(seconds), text, name))
        if any(p.relocalised for p in poses[1:]):
            text = f"{name}: its reference moved in the middle of the take"
            found.append(Verdict("pose confidence", "bad", text, name))
    return found


def tool_tracking(facts: EpisodeFacts) -> list[Verdict]:
    """Times in which no sensor knows where the tool is, or how far it is open: a lost pose, markers out of sight.
    A single missed picture is no flaw."""
    found = []
    for name, poses in facts.poses.items():
        lost = [(p.t_host, p.confidence == 0) for p in poses]
        found += _untracked(name, lost, facts, "does not know where the tool is; show it more texture")
    for name, readings in facts.openings.items():
        lost = [(r.t_host, not r.valid) for r in readings]
        found += _untracked(name, lost, facts, "is not known; keep the markers in sight")
    return found


CHECKS: tuple[Check, ...] = (
    length, drops, skew, blur, exposure, force_zero, pose_confidence, tool_tracking,
)  # fmt: skip


def _untracked(stream: str, samples: Sequence[tuple[float, bool]], facts: EpisodeFacts, text: str) -> list[Verdict]:
    """One verdict over all stretches of samples (time, lost) without a track that are long enough to matter."""
    spans, since = [], None
    for t, lost in [*samples, (facts.span[1], False)]:
        if lost and since is None:
            since = t
        elif not lost and since is not None:
            if t - since >= LEAST_LOST_S:
                spans.append((since - facts.span[0], t - facts.span[0]))
            since = None
    seconds = sum(b - a for a, b in spans)
    words = f"{stream} {text} ({seconds:.1f} s)"
    return [Verdict(TOOL_TRACKING, _level(seconds), words, stream, tuple(spans))] if spans else []


def _level(seconds: float) -> Level:
    return "mark" if seconds < MARK_UNDER_S else "bad"


def _nearest(times: Array, others: Array) -> Array:
    others = np.sort(others)
    right = np.clip(np.searchsorted(others, times), 1, len(others) - 1) if len(others) > 1 else np.zeros(1, int)
    apart = np.minimum(np.abs(times - others[right]), np.abs(times - others[np.maximum(right - 1, 0)]))
    return np.asarray(apart, float)


def _spanned(
    check: str,
    stream: str,
    states: tuple[tuple[float, Mapping[str, float]], ...],
    wrong: NDArray[np.bool_],
    facts: EpisodeFacts,
    text: str,
) -> list[Verdict]:
    """One verdict over all measurements that are wrong; each stands for the time to the next."""
    if not wrong.any():
        return []
    at = np.array([t for t, _ in states] + [facts.span[1]]) - facts.span[0]
    spans = tuple((float(at[k]), float(max(at[k], at[k + 1]))) for k in np.flatnonzero(wrong))
    seconds = sum(b - a for a, b in spans)
    return [Verdict(check, _level(seconds), f"{stream} {text} ({seconds:.1f} s)", stream, spans)]
