"""What page Record says of a session: pure functions from its state to words."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from app.recording.desk import RecordingDesk
from app.recording.gates import Gate
from app.recording.session import RecordingSession
from app.recording.work import Take
from hardware.recording.note import Verdict
from hardware.recording.session import Entry
from widgets.record_values import GateRow, RecordState, UnfinishedRow, VerdictRow
from widgets.values import Mood

_LEVELS: Mapping[str, Mood] = {"ok": "ok", "mark": "warning", "bad": "alarm"}
_OPEN = {
    "session": "nobody else records into today's folder",
    "streams": "all cameras and sensors run",
    "calibration": "every camera is calibrated",
    "disk": "there is room on the disk",
    "force": "the force stands at zero",
    "scene": "the bare scene is taken, nothing stands in it",
}
_SHUT = {
    "streams": "Plug it in; page Rig shows every device",
    "calibration": "Calibrate it before you record",
    "disk": "Make room, or choose another workspace",
    "force": "Let go of the gripper, then zero it (Z)",
    "scene": "Clear the picture, then S takes it again",
}


def banner(
    desk: RecordingDesk, seconds: float, keys: Mapping[str, str], saved: str = "", refused: str = ""
) -> RecordState:
    """What stands in the banner. seconds: how long it has recorded; saved: words on a take that was just saved;
    refused: why what was just asked for was not done."""
    session, go = desk.session, start_keys(keys)
    if session is None:
        if desk.devices == "opening":
            return RecordState("starting", "STARTING", "Cameras and sensors are being opened")
        if desk.message:
            return RecordState("problem", "NO CAMERAS", f"{desk.message}  ·  {go} tries again")
        return RecordState("off", "CAMERAS OFF", f"{go} turns the cameras on")
    count, goal = session.counter.kept, session.goal

    def say(stage: str, word: str, hint: str, clock: float | None = None) -> RecordState:
        return RecordState(stage, word, hint, clock, count, goal)  # type: ignore[arg-type]

    shut = session.closed()
    if refused and session.state != "recording":
        return say("problem", "NOT DONE", refused)
    if session.read_only:
        return say("problem", "LOOK ONLY", session.read_only)
    match session.state:
        case "recording":
            done = ["it is shown"] if desk.table is not None and desk.table.shown else []
            return say("recording", "REC", " · ".join([*done, f"{go} stops", *dropped(session)]), seconds)
        case "starting":
            return say("starting", "STARTING", "")
        case "stopping":
            return say("saving", "STOPPING", "The file is being finished")
        case "saving":
            return say("saving", "SAVING", "Until it is on the disk")
        case "looking":
            return say("scene", "HANDS OFF", "The bare scene is looked at")
        case "zeroing":
            return say("scene", "HANDS OFF", "The force is zeroed: let go of the gripper")
        case "review":
            enter = "Enter" if keys["record.keep"] == "Return" else keys["record.keep"]
            decide = f"{enter} keeps   {keys['record.discard']} discards   {keys['record.redo']} again"
            length = session.take.note.duration_s if session.take is not None else None
            return say("review", "KEEP IT?", decide, length)
    if saved:
        return say("saved", "SAVED", saved)
    if desk.laying:
        return say("starting", "TABLE", "The simulated table is being laid")
    if other := [gate for gate in shut if gate.name != "scene"]:
        return say("blocked", "NOT READY", other[0].text)
    if session.state == "armed" and shut:
        return say("blocked", "NOT READY", f"{shut[0].text}  ·  {go} looks again")
    if session.state == "armed":
        return say("ready", "READY", f"{go} starts recording")
    return say("scene", "HANDS OUT", f"of the picture, then {go}")


def start_keys(keys: Mapping[str, str]) -> str:
    """What starts and stops: "Space or the pedal"."""
    pedal = "the pedal" if keys["record.pedal"] else ""
    return " or ".join(filter(None, [keys["record.next"], pedal])) or "Next step"


def dropped(session: RecordingSession) -> list[str]:
    """What went wrong so far in the take that is being recorded."""
    progress = session.status.recording
    if progress is None:
        return []
    lost = {name: sum(flaws.values()) for name, flaws in progress.flaws.items()}
    return [f"{name} lost {count}" for name, count in lost.items() if count]


def gate_rows(gates: Sequence[Gate], overrides: Mapping[str, str]) -> list[GateRow]:
    """Return every gate; one that a person passed is amber and carries the reason."""
    rows = []
    for gate in gates:
        if gate.open:
            rows.append(GateRow(gate.name, "ok", _OPEN.get(gate.name, gate.name)))
        elif reason := overrides.get(gate.name):
            rows.append(GateRow(gate.name, "warning", gate.text, can_override=True, overridden=reason))
        else:
            waits = gate.name == "scene" and not gate.may_override
            mood: Mood = "idle" if waits else "alarm"
            rows.append(GateRow(gate.name, mood, gate.text, _SHUT.get(gate.name, ""), gate.may_override))
    return rows


def verdict_rows(verdicts: Sequence[Verdict], checked: bool) -> list[VerdictRow]:
    """Return what the checks say; a take without a flaw says so too."""
    if not checked:
        return [VerdictRow("idle", "the take is being looked at")]
    found = [
        VerdictRow(_LEVELS[v.level], v.text, _LONG[v.level], max(0.0, v.spans[0][0] - 0.3) if v.spans else None)
        for v in verdicts
    ]
    return found or [VerdictRow("ok", "no drops, no blur, exposure and timing are good")]


_LONG = {"ok": "", "mark": "A small flaw: it is marked in the take.", "bad": "Better made again."}


def take_words(take: Take) -> str:
    """One line on the take under review."""
    note = take.note
    words = [f"Take {note.number}", f"{note.duration_s:.1f} s", note.task, note.object, note.condition]
    if note.recovered:
        words.append("recovered: it was cut off")
    return " · ".join(filter(None, words)) + (f"\n{take.problem}" if take.problem else "")


def verdict_mood(take: Take) -> Mood:
    """The colour of a take by its verdicts."""
    levels = {v.level for v in take.note.verdicts}
    return "alarm" if "bad" in levels else "warning" if "mark" in levels else "ok"


def unfinished_rows(entries: Sequence[Entry]) -> list[UnfinishedRow]:
    """Return the takes that a crash left behind."""
    return [UnfinishedRow(str(entry.folder), _unfinished(entry)) for entry in entries]


def _unfinished(entry: Entry) -> str:
    number = int(Path(entry.folder).name[:6])
    if entry.note is None:
        return f"Take {number} was cut off: {entry.problem}"
    what = f"of {entry.note.task}"
    if entry.note.state == "recording":
        return f"Take {number} {what} was cut off while it was recorded. What had reached the disk can be saved."
    return f"Take {number} {what} was neither kept nor discarded when the program ended."
