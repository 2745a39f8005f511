"""What an export or import would do, said before it is done: what is kept, what is lost, the room it takes."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from app.datasets.exchange import fresh_demos
from app.datasets.exchange_orders import ExportOrder, ImportOrder, Order, Outlook, chosen_demos
from app.datasets.exchange_part import ExchangeRefused, check_target, half_done, plan_of, room_for
from hardware.recording.note import EpisodeFileError
from models.data.demo import Demo, DemoStream
from models.data.errors import DreamFileError
from models.data.exchange import READ, Cancelled, Progress, stop_if
from models.data.exchange_sources import format_of, open_demos
from models.data.lerobot_layout import make_layout
from models.data.session_demo import SessionDemo
from models.data.umi import robots_of

_DEVICES = "The devices' own clocks and counters, flaws and verdicts: they stay in the recordings"
_MASKS = "Object masks, and what was corrected in tracks (the tracks themselves are kept)"


def outlook(order: Order, report: Progress, cancelled: Cancelled) -> Outlook:
    """Look at what an order would do; nothing is written. Raises ExchangeStopped."""
    try:
        if isinstance(order, ExportOrder):
            return _of_export(order, report, cancelled)
        return _of_import(order, report, cancelled)
    except (ExchangeRefused, DreamFileError, EpisodeFileError, OSError) as error:
        return Outlook(refusal=str(error))


def _of_export(order: ExportOrder, report: Progress, cancelled: Cancelled) -> Outlook:
    check_target(order.out)
    demos = chosen_demos(order.demos)
    if not demos:
        raise ExchangeRefused("no demo is chosen; choose some, or take all that the filter shows")
    _read_streams(demos, report, cancelled)
    kept, lost = _EXPORTED[order.form](demos, order.options.fps)
    found = Outlook(len(demos), sum(demo.duration_s for demo in demos), kept, lost)
    room = room_for(order.out, demos, order.form)
    resumed = half_done(order.part, plan_of(order.form, demos, **vars(order.options)))
    return replace(found, room=room, resumed=resumed, refusal=room.refusal)


def _of_import(order: ImportOrder, report: Progress, cancelled: Cancelled) -> Outlook:
    report(0.0, "opening")
    form, demos = format_of(order.source), open_demos(order.source, fps=order.fps)
    if not demos:
        raise ExchangeRefused(f"{order.source}: there is no episode in it")
    _read_streams(demos, report, cancelled)
    fresh = fresh_demos(demos, order.out)
    kept = (f"{READ[form]}: {_kinds(s for demo in demos for s in demo.streams.values())}",)
    room = room_for(order.out, demos)
    same = len(demos) - len(fresh)
    refusal = room.refusal or ("" if fresh else f"All {len(demos)} demos are in {order.out.name} already")
    found = Outlook(len(demos), sum(demo.duration_s for demo in demos), kept, _IMPORTED[form], room)
    return replace(
        found, resumed=half_done(order.part, plan_of("import", demos)), there_already=same, refusal=refusal
    )


def _read_streams(demos: Sequence[Demo], report: Progress, cancelled: Cancelled) -> None:
    """What a demo has stands in its recording: read once here, so that it can be given up in between."""
    for k, demo in enumerate(demos):
        stop_if(cancelled)
        report(k / len(demos), f"looking at demo {k + 1} of {len(demos)}")
        demo.streams  # noqa: B018 - read for the first time


def _lerobot(demos: Sequence[Demo], fps: float) -> tuple[tuple[str, ...], tuple[str, ...]]:
    layout = make_layout(demos, fps)
    faster = [s.name for s in layout.state if s.rate_hz > 1.01 * layout.fps]
    action = (
        "Action: nobody recorded one, so it is what the tracks, else the state, hold one row later"
        if layout.next_row
        else f"Action: {_names(layout.action)}"
    )
    kept = (
        f"Videos: {_names(layout.cameras)}, {layout.fps:g} rows a second",
        f"State: {_names(layout.state)}",
        action,
        "Every sample at its own rate and time, labels, step marks, calibrations: in dreamdeck/, for this program",
    )
    lost = [f"{', '.join(layout.left_out)}: not every demo has it alike, so it is in no row, only in dreamdeck/"]
    lost = lost if layout.left_out else []
    lost += [f"{', '.join(faster)}: in the rows only the sample nearest to each picture"] if faster else []
    return kept, (*lost, *_trimmed(demos), _DEVICES, _MASKS)


def _umi(demos: Sequence[Demo], fps: float) -> tuple[tuple[str, ...], tuple[str, ...]]:
    layout = make_layout(demos, fps)
    robots = robots_of(layout, demos)
    used = {name for pair in robots for name in pair} | {s.name for s in layout.cameras}
    others = sorted({name for demo in demos for name in demo.streams} - used)
    kept = (
        f"Pictures: {_names(layout.cameras)}, {layout.fps:g} rows a second",
        *(
            f"Robot {k}: pose {pose}, " + (f"opening {width}" if width else "opening 0: nobody measured it")
            for k, (pose, width) in enumerate(robots)
        ),
        "Labels and ids: in .zattrs, where UMI does not look",
    )
    lost = (f"{', '.join(others)}: UMI has no place for it",) if others else ()
    coded = "Pictures are coded anew (JPEG-XL, level 99)"
    return kept, (*lost, coded, "Calibrations, step marks, photos of the bare scene", _DEVICES, _MASKS)


def _mcap(demos: Sequence[Demo], _fps: float) -> tuple[tuple[str, ...], tuple[str, ...]]:
    kept = (
        f"One file a demo: {_kinds(s for demo in demos for s in demo.streams.values())}, pictures bit by bit",
        "Labels, and where it comes from, as metadata",
    )
    return kept, ("Step marks, photos of the bare scene", _DEVICES, _MASKS)


_EXPORTED = {"lerobot": _lerobot, "umi": _umi, "mcap": _mcap}
_IMPORTED: Mapping[str, tuple[str, ...]] = {
    "session": (_DEVICES, _MASKS),
    "lerobot": ("Pictures that are no H.264 are coded anew", "Features that are not numbers"),
    "hdf5": (
        "Pictures are coded anew",
        "Groups of states and rewards, calibrations: the format has none that is sure",
    ),
    "umi": ("Pictures are coded anew", "Calibrations: the format has none"),
    "videos": ("Sound", "Videos that are no H.264 are coded anew"),
}


def _trimmed(demos: Sequence[Demo]) -> tuple[str, ...]:
    count = sum(isinstance(demo, SessionDemo) and demo.piece.start > 0 for demo in demos)
    more = "begins later than its recording: its pictures are" if count == 1 else (
        "begin later than their recordings: their pictures are"
    )  # fmt: skip
    return (f"{count} {more} coded anew where no key picture stands there (38 dB and better)",) if count else ()


def _names(streams: Iterable[DemoStream]) -> str:
    return ", ".join(stream.name for stream in streams) or "none"


def _kinds(streams: Iterable[DemoStream]) -> str:
    """Streams by kind, each once: "camera top, side; force grip"."""
    by_kind: dict[str, dict[str, None]] = {}
    for stream in streams:
        by_kind.setdefault(stream.kind, {})[stream.name] = None
    return "; ".join(f"{kind} {', '.join(names)}" for kind, names in by_kind.items()) or "nothing"
