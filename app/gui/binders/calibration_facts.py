"""What the calibration wizard shows of a calibration under way, in words and small values."""

from app.calibration_desk import CalibrationDesk
from app.calibration_session import CalibrationSession
from hardware.calibration.hand_eye import HandEyeResult
from widgets.calibration_values import CalibrationSheet, PictureState, ViewRow
from widgets.tool_values import Level

_LEVELS: dict[str, Level] = {"good": "ok", "usable": "warning", "again": "alarm"}


def sheet(desk: CalibrationDesk) -> CalibrationSheet:
    """Return what to show now."""
    session, reason = desk.session, desk.reason
    if session is None:
        step = reason or "Print the board, glue it to something flat, and press Start."
        return CalibrationSheet(
            step=step,
            can_start=not reason,
            kept=desk.in_use,
            person=desk.person_there,
            person_words=_person(desk),
        )
    report = session.report
    verdict, level = ("Solving…" if session.solving else "", "")
    if session.problem:
        verdict, level = _sentence(session.problem), "alarm"
    elif report is not None:
        verdict, level = report.words, _LEVELS[report.verdict]
    if desk.problem:
        verdict, level = _sentence(desk.problem), "alarm"
    return CalibrationSheet(
        running=True,
        step=session.step,
        views=_rows(session),
        verdict=verdict,
        level=level,  # type: ignore[arg-type]
        live=_live(session),
        pictures=_pictures(session),
        can_take=session.can_take,
        can_save=report is not None and report.verdict != "again",
        can_plan=session.task in ("wrist", "stand"),
        automatic=session.automatic,
        person=desk.person_there,
        person_words=_person(desk),
        kept=desk.in_use,
    )


def _person(desk: CalibrationDesk) -> str:
    fixed = desk.task == "stand"
    return "A simulated board is fixed to the arm" if fixed else "A simulated person holds the board"


def _rows(session: CalibrationSession) -> tuple[ViewRow, ...]:
    """A row a view: which cameras saw it, and how well it agrees once that is known."""
    report = session.report
    errors: dict[int, list[tuple[float, bool]]] = {}
    for error in report.views if report is not None else ():
        number = int(error.name.split(",")[0].split()[-1])
        errors.setdefault(number, []).append((error.rms, error.left_out))
    rows = []
    for k, one in enumerate(session.taken, 1):
        seen = ", ".join(f"{name} {len(view.ids)}" for name, view in one.views.items())
        if k not in errors:
            rows.append(ViewRow(f"{k}   {seen} corners" + ("" if report is None else ", not used")))
            continue
        worst = max(rms for rms, _ in errors[k])
        out = any(left_out for _, left_out in errors[k])
        rows.append(ViewRow(f"{k}   {worst:.2f} px" + (", left out" if out else ""), "warning" if out else ""))
    return tuple(rows)


def _live(session: CalibrationSession) -> str:
    count = f"{len(session.taken)} taken"
    if session.task == "lens":
        count += f", {100 * session.covered.share:.0f}% of the picture covered"
    result = session.result
    if isinstance(result, HandEyeResult):
        return f"{count}, the board's places agree within {1e3 * max(m for m, _ in result.apart):.1f} mm"
    return count


def _pictures(session: CalibrationSession) -> dict[str, PictureState]:
    covered = session.covered.grid if session.task == "lens" else None
    found = {}
    for camera in session.cameras:
        seen = session.seen.get(camera.name)
        if seen is None:
            continue
        badge = "resting" if session.resting and len(seen.corners) else ""
        found[camera.name] = PictureState(seen.corners, covered, badge, seen.problem)
    return found


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")
