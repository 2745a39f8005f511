"""What the calibration wizard shows of a calibration under way, in words and small values."""

from app.calibration.desk import CalibrationDesk
from app.calibration.wizard import Asked, Wizard
from widgets.calibration_values import CalibrationSheet, Number, PictureState, ViewRow
from widgets.tool_values import Level

_LEVELS: dict[str, Level] = {"good": "ok", "usable": "warning", "again": "alarm"}
_BEGIN = {
    "opening": "Put the gripper before its camera, and press Start.",
    "force": "Have two or three known weights ready, and press Start.",
}
PRINT = "Print the board, glue it to something flat, and press Start."


def sheet(desk: CalibrationDesk) -> CalibrationSheet:
    """Return what to show now."""
    session = desk.session
    if session is None:
        reason = desk.reason
        return CalibrationSheet(
            step=reason or _BEGIN.get(desk.task, PRINT),
            can_start=not reason,
            kept=desk.in_use,
            person=desk.person_there,
            person_words=desk.person_words,
            needs_board=desk.needs_board,
            needs_camera=desk.needs_camera,
        )
    verdict, level = _verdict(desk, session)
    return CalibrationSheet(
        running=True,
        step=session.step,
        views=tuple(ViewRow(row.text, "warning" if row.warned else "") for row in session.rows),
        verdict=verdict,
        level=level,
        live=session.live,
        figure=session.figure,
        number=_number(session.asked),
        pictures=_pictures(session),
        can_take=session.can_take,
        can_save=session.report is not None and session.report.verdict != "again",
        can_plan=desk.can_plan,
        automatic=session.automatic,
        person=desk.person_there,
        person_words=desk.person_words,
        kept=desk.in_use,
        needs_board=desk.needs_board,
        needs_camera=desk.needs_camera,
    )


def _verdict(desk: CalibrationDesk, session: Wizard) -> tuple[str, Level]:
    report = session.report
    if desk.problem:
        return _sentence(desk.problem), "alarm"
    if session.problem:
        return _sentence(session.problem), "alarm"
    if report is not None:
        return report.words, _LEVELS[report.verdict]
    return ("Solving…" if session.solving else ""), ""


def _number(asked: Asked | None) -> Number | None:
    if asked is None:
        return None
    low, high, value = (asked.per_si * number for number in (asked.low, asked.high, asked.value))
    return Number(asked.what, asked.unit, low, high, value, asked.per_si)


def _pictures(session: Wizard) -> dict[str, PictureState]:
    covered = session.covered.grid if session.covered is not None else None
    found = {}
    for camera in session.cameras:
        seen = session.seen.get(camera.name)
        if seen is None:
            continue
        badge = "resting" if session.resting and not seen.problem else ""
        found[camera.name] = PictureState(seen.corners, covered, badge, seen.problem)
    return found


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")
