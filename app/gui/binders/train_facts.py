"""What page Train is shown, made of jobs, runs and drafts. Pure: no files, no widgets."""

import time
from collections.abc import Mapping, Sequence

from app.jobs.types import JobRecord, Machine
from app.training.draft import Draft, DraftRow
from app.training.gallery import Dreams
from app.training.watch import RunSeen
from widgets.train_values import Comparison, FieldKind, FormField, GalleryScene, JobLine, Meter, RunCurves
from widgets.values import LineItem, Mood
from widgets.views.loss_curves import losses_first

TRAIN = "train"
_STATES: Mapping[str, tuple[str, Mood]] = {
    "queued": ("waits", "idle"),
    "running": ("runs", "ok"),
    "paused": ("paused", "warning"),
    "done": ("done", "idle"),
    "failed": ("failed", "alarm"),
    "cancelled": ("cancelled", "idle"),
    "interrupted": ("interrupted", "warning"),
}
_WANTED = {"pause": "is pausing", "cancel": "is ending"}
_SILENT_S = 120.0  # a job that says nothing for so long may hang
_SECTIONS = {
    "": "THE RUN",
    "clip": "CLIPS: WHICH PICTURES OF A DEMO",
    "data": "DEMOS",
    "train": "HOW THE U-NET IS TRAINED",
    "vae": "HOW THE PICTURE CODER IS TRAINED",
    "save": "CHECKPOINTS",
    "gallery": "DREAMS WHILE IT TRAINS",
    "model": "THE MODEL",
}
_ORDER = ("", "data", "clip", "train", "vae", "save", "gallery", "model")
_SWITCH = {"true": "yes", "false": "no"}
_TITLE = 14  # characters of a job's title on the bottom line, where there is little room
GB = 1e9


def span(seconds: float) -> str:
    """Return such as "40 s", "12 min", "2 h 10 min", "3 d 4 h"."""
    minutes = round(seconds / 60)
    if seconds < 90:
        return f"{max(seconds, 0):.0f} s"
    if minutes < 90:
        return f"{minutes} min"
    if minutes < 48 * 60:
        return f"{minutes // 60} h {minutes % 60:02d} min"
    return f"{minutes // 1440} d {minutes % 1440 // 60} h"


def when(wall: float | None, now: float) -> str:
    """Return the time of day of a wall time, with the day where it is another one."""
    if wall is None:
        return ""
    at, today = time.localtime(wall), time.localtime(now)
    same = at[:3] == today[:3]
    return time.strftime("%H:%M" if same else "%d %b %H:%M", at)


def job_line(record: JobRecord, now: float) -> JobLine:
    """Return a job for the table."""
    state, mood = _STATES[record.state]
    if record.state == "running":
        state = _WANTED.get(record.wanted, state)
        if record.silent_s > _SILENT_S:
            state, mood = "silent", "warning"
    left = span(record.left_s) if record.state == "running" and record.left_s is not None else ""
    began = record.started or record.queued
    return JobLine(
        id=record.id,
        title=record.spec.title,
        kind=record.spec.kind,
        state=state,
        mood=mood,
        done=-1.0 if record.state == "queued" and not record.fraction else record.fraction,
        left=left,
        started=when(began, now),
        tip="\n".join(filter(None, [f"{record.spec.title} ({record.spec.kind}, job {record.id})", record.problem])),
    )


def _now(record: JobRecord) -> str:
    if record.state != "running":
        return ""
    silent = f"not heard of for {span(record.silent_s)}: it hangs, or does something very long"
    return silent if record.silent_s > _SILENT_S else record.text


def job_facts(record: JobRecord, kind: str, run: RunSeen | None, now: float) -> list[tuple[str, str]]:
    """Return what is known of a job as (name, value), "" left out; kind: what its kind is called."""
    usage = record.usage
    used = ""
    if usage is not None:
        used = f"{usage.cpu:.1f} cores, {usage.memory / GB:.1f} GB"
        used += f", {usage.gpu_memory / GB:.1f} GB of GPU {record.gpu}" if usage.gpu_memory is not None else ""
    spent = f"{span(record.spent_s)} in {record.attempt} attempts" if record.attempt > 1 else span(record.spent_s)
    facts = [
        ("Kind", f"{kind}, job {record.id}"),
        ("Now", _now(record)),
        ("Worked", spent if record.spent_s else ""),
        ("Ended", when(record.ended, now) if record.state != "running" else ""),
        ("Said last", "" if record.state == "running" else _values(record)),
        ("Uses", used),
        (
            "Damaged",
            f"{run.skipped} lines of metrics.jsonl are left out" if run is not None and run.skipped else "",
        ),
        *(
            (name.replace("_", " ").capitalize(), _plain(value))
            for name, value in _told(record, but=("config",)).items()
        ),
        *((f"Made: {name}", _plain(value)) for name, value in record.result.items()),
        ("Cloned from", f"job {record.spec.cloned_from}" if record.spec.cloned_from else ""),
        ("Needs", "a GPU" if record.spec.needs_gpu else ""),
    ]
    return [(name, value) for name, value in facts if value]


def _values(record: JobRecord) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {value:.4g}" for name, value in record.values.items())


def _plain(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{k} {_plain(v)}" for k, v in value.items())
    if isinstance(value, list | tuple):
        shown = ", ".join(_plain(v) for v in value[:3])
        return f"{shown} and {len(value) - 3} more" if len(value) > 3 else shown
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def line_items(records: Sequence[JobRecord]) -> tuple[LineItem, ...]:
    """Return what the bottom line says of the jobs, on every page: the one that runs, how many wait."""
    running = [record for record in records if record.state == "running"]
    waiting = sum(record.state == "queued" for record in records)
    if not running:
        return (LineItem(f"{waiting} jobs wait" if waiting > 1 else "1 job waits"),) if waiting else ()
    first = running[-1]
    left = f" · {span(first.left_s)} left" if first.left_s is not None else ""
    title = first.spec.title if len(first.spec.title) <= _TITLE else first.spec.title[: _TITLE - 1] + "…"
    tips = [f"{r.spec.title}: {100 * r.fraction:.0f} %, {r.text}" for r in running]
    tips += [f"{waiting} wait"] if waiting else []
    more = f" +{len(running) - 1}" if len(running) > 1 else ""
    return (LineItem(f"{title} {100 * first.fraction:.0f} %{left}{more}", "ok", "\n".join(tips)),)


def meters(machine: Machine | None) -> list[Meter]:
    """Return what of the machine is used."""
    if machine is None:
        return []
    part = machine.memory_used / max(machine.memory, 1)
    made = [
        Meter("CPU", machine.cpu / max(machine.cores, 1), f"{machine.cpu:.1f} of {machine.cores} cores"),
        Meter("Memory", part, f"{machine.memory_used / GB:.1f} of {machine.memory / GB:.1f} GB"),
    ]
    for gpu in machine.gpus:
        words = f"{gpu.memory_used / GB:.1f} of {gpu.memory / GB:.1f} GB"
        words += f", {100 * gpu.busy:.0f} % busy" if gpu.busy is not None else ""
        made.append(Meter(f"GPU {gpu.index}", gpu.memory_used / max(gpu.memory, 1), f"{words} · {gpu.name}"))
    return made


def curves(record: JobRecord, run: RunSeen) -> RunCurves:
    """Return a run for the plot."""
    series = {name: (one.steps, one.values) for name, one in run.series.items()}
    return RunCurves(record.id, record.spec.title, series)


def comparison(records: Sequence[JobRecord], runs: Sequence[RunSeen | None]) -> Comparison:
    """Return the jobs beside each other: what came of them, then what they were told differently."""
    told = [
        dict(run.config) if run is not None and run.config else _told(record)
        for record, run in zip(records, runs, strict=True)
    ]
    names = list(dict.fromkeys(name for one in told for name in one))
    rows = [
        ("State", tuple(_STATES[r.state][0] for r in records)),
        ("Worked", tuple(span(r.spent_s) for r in records)),
    ]
    values = list(dict.fromkeys(name for run in runs if run is not None for name in run.series))
    for name in sorted(values, key=losses_first):
        rows.append((f"{name}, last", tuple(_last(run, name) for run in runs)))
    for name in names:
        row = tuple(_plain(one[name]) if name in one else "–" for one in told)
        if len(set(row)) > 1:
            rows.append((name, row))
    return Comparison(tuple(record.spec.title for record in records), tuple(rows))


def _told(record: JobRecord, but: Sequence[str] = ("config", "out")) -> dict[str, object]:
    return {name: value for name, value in record.spec.arguments.items() if name not in but}


def _last(run: RunSeen | None, name: str) -> str:
    one = run.series.get(name) if run is not None else None
    if one is None or not len(one.steps):
        return "–"
    return f"{one.values[-1]:.4g} at {one.steps[-1]:.0f}"


def scenes(dreams: Dreams) -> list[GalleryScene]:
    """Return what was dreamt at a step, for the gallery."""
    return [GalleryScene(s.name, s.rows, metrics(s.metrics), tracks(s.metrics)) for s in dreams.scenes]


def no_dreams(record: JobRecord | None, run: RunSeen | None) -> str:
    """Return why a gallery is empty and what to do."""
    if record is None or record.spec.kind != TRAIN or run is None:
        return "Choose a training to see what it dreams of scenes that it never saw"
    every, held_out = run.config.get("gallery.every"), run.config.get("data.held_out")
    if every == 0 or held_out == 0:
        return (
            "It holds no demos out, or draws no gallery (data.held_out, gallery.every): clone it with other values"
        )
    return (
        f"The first dreams come after step {every:,}" if isinstance(every, int) else "Nothing has been dreamt yet"
    )


def metrics(values: Mapping[str, float]) -> str:
    """Return the metrics of pictures as they are read."""
    return " · ".join(metric(name, value) for name, value in values.items() if "/" not in name)


def tracks(values: Mapping[str, float]) -> tuple[str, ...]:
    """Return a line for each tool: how far its track in a dream is from that in the demo."""
    tools: dict[str, dict[str, float]] = {}
    for name, value in values.items():
        role, slash, what = name.partition("/")
        if slash:
            tools.setdefault(role, {})[what] = value
    return tuple(f"{role}: {_track(own)}" for role, own in tools.items())


def _track(own: Mapping[str, float]) -> str:
    def said(form: str, name: str) -> str:
        return form.format(own[name]) if name in own else ""

    apart = said("views {:.1f} px apart", "disagreement_px")
    parts = (
        said("{:.0%} followed", "followed"),
        said("{:.1f} mm", "position_mm"),
        said("{:.1f}°", "rotation_deg"),
        apart and apart + said(" (demo {:.1f})", "shown_disagreement_px"),
    )
    return " · ".join(filter(None, parts))


def metric(name: str, value: float) -> str:
    """Return a metric as it is read: "PSNR 24.1 dB"."""
    known = {
        "psnr": ("PSNR", ".1f", " dB"),
        "ssim": ("SSIM", ".3f", ""),
        "still_psnr": ("nothing moved:", ".1f", " dB"),
    }
    words, form, unit = known.get(name, (name.replace("_", " "), ".3g", ""))
    return f"{words} {value:{form}}{unit}"


def log_level(line: str) -> str:
    """Return the level of a line that a job printed."""
    lower = line.lower()
    if "error" in lower or "traceback" in lower:
        return "error"
    return "warning" if "warning" in lower else "info"


# the form ---------------------------------------------------------------------------------------------------------
def fields(draft: Draft) -> tuple[FormField, ...]:
    """Return every value of a draft for the form, section by section, the model last."""
    rows = sorted(
        draft.rows, key=lambda row: _ORDER.index(_section(row)) if _section(row) in _ORDER else len(_ORDER)
    )
    return tuple(_field(row) for row in rows)


def _section(row: DraftRow) -> str:
    return row.key.split(".")[0] if "." in row.key else ""


def _field(row: DraftRow) -> FormField:
    known, section = row.setting.setting, _section(row)
    title = row.key.removeprefix(f"{section}.").replace("_", " ").replace(".", ": ")
    title = title.removesuffix(" s") if known.unit == "s" else title
    choices = _SWITCH if row.setting.kind == "bool" else {choice: choice for choice in known.choices}
    kind: FieldKind = "choice" if choices else "text"
    help = known.help
    return FormField(
        row.key, _SECTIONS.get(section, section.upper()), title.capitalize(), help[:1].upper() + help[1:], kind,
        row.text, row.published, known.unit, choices, "" if choices else known.valid, row.differs, row.problem,
    )  # fmt: skip


def about(draft: Draft, needs_gpu: bool) -> str:
    """Return a config in a sentence."""
    config, model = draft.config, draft.config.model
    steps = f"{config.train.steps:,} steps" + (
        f" after {config.vae.steps:,} of the picture coder" if config.vae.steps else ""
    )
    size = f"{model.size[0]}x{model.size[1]}, {model.views} views of {model.length} frames"
    return f"{steps} · {size} · {'needs a GPU' if needs_gpu else 'on the CPU'}"
