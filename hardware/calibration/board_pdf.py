"""A board as a PDF at true scale, with a ruler to check the print. A page of black rectangles and two lines of
text: written by hand, as it needs no more than twenty lines of the format (ISO 32000-1)."""

from collections.abc import Mapping, Sequence

import numpy as np

from hardware.calibration.board import Board, black_rectangles
from hardware.geometry import Array
from hardware.types import require

SHEETS: Mapping[str, tuple[float, float]] = {"a4": (297.0, 210.0), "a3": (420.0, 297.0)}  # width, height [mm]
RULER_MM = 100.0
UPPER_MM, SIDE_MM, FOOT_MM = 10.0, 8.0, 26.0  # white that a printer needs, and room for ruler and text
POINTS_PER_MM = 72.0 / 25.4


def board_pdf(board: Board, sheet: str) -> bytes:
    """Return a PDF of one sheet, lying. Raises ValueError for an unknown sheet, or one that the board does not
    fit."""
    require(sheet in SHEETS, f"sheet: {sheet!r}; valid: {', '.join(SHEETS)}")
    width, height = SHEETS[sheet]
    need = 1e3 * board.size[0] + 2 * SIDE_MM, 1e3 * board.size[1] + UPPER_MM + FOOT_MM
    require(
        need[0] <= width and need[1] <= height,
        f"sheet: {sheet} is {width:g} x {height:g} mm, board {board.name} needs {need[0]:g} x {need[1]:g}; valid: "
        "a larger sheet, or a smaller board",
    )
    return _document((width, height), _drawing(board, (width, height)))


def _drawing(board: Board, page: tuple[float, float]) -> str:
    """The page's content, in millimetres from its upper left corner."""
    width, height = page
    left, upper = (width - 1e3 * board.size[0]) / 2, UPPER_MM
    black = 1e3 * black_rectangles(board) + [left, upper, 0, 0]
    ruler = _ruler(left, height - 16.0)
    k = POINTS_PER_MM
    to_mm = f"{k:.9f} 0 0 {-k:.9f} 0 {height * k:.6f} cm"
    lines = ["q", to_mm, "0 g", *(_filled(r) for r in (*black, *ruler)), "Q"]
    said = f"Dreamdeck board {board.name}: {board.words}"
    todo = (
        "Print at 100% (actual size). This ruler must measure 100.0 mm. Glue the sheet to something flat and stiff."
    )
    lines += [_text(said, left, height - 6.0, height), _text(todo, left + RULER_MM + 6.0, height - 13.0, height)]
    return "\n".join(lines)


def _ruler(x: float, y: float) -> Array:
    """A line with a tick every 10 mm, the outer edges of its ends RULER_MM apart; x, y, width, height [mm]."""
    line = [(x, y, RULER_MM, 0.3)]
    ticks = [(x, y - 5.0, 0.3, 5.0), (x + RULER_MM - 0.3, y - 5.0, 0.3, 5.0)]
    inner = [(x + mm - 0.1, y - (4.0 if mm == RULER_MM / 2 else 2.5), 0.2, 2.6) for mm in range(10, 100, 10)]
    return np.array([*line, *ticks, *inner])


def _filled(rectangle: Sequence[float]) -> str:
    x, y, w, h = rectangle
    return f"{x:.4f} {y:.4f} {w:.4f} {h:.4f} re f"


def _text(words: str, x: float, y: float, height: float) -> str:
    plain = words.encode("latin-1", "replace").decode("latin-1")
    for sign in ("\\", "(", ")"):
        plain = plain.replace(sign, f"\\{sign}")
    return f"BT /F 8 Tf {x * POINTS_PER_MM:.3f} {(height - y) * POINTS_PER_MM:.3f} Td ({plain}) Tj ET"


def _document(page: tuple[float, float], content: str) -> bytes:
    body = content.encode("latin-1")
    box = f"0 0 {page[0] * POINTS_PER_MM:.4f} {page[1] * POINTS_PER_MM:.4f}"
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R /ViewerPreferences << /PrintScaling /None >> >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        f"<< /Type /Page /Parent 2 0 R /MediaBox [{box}] /Contents 5 0 R "
        "/Resources << /Font << /F 4 0 R >> >> >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
        b"<< /Length " + str(len(body)).encode() + b" >>\nstream\n" + body + b"\nendstream",
    ]
    out, places = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", []
    for number, text in enumerate(objects, 1):
        places.append(len(out))
        out += f"{number} 0 obj\n".encode() + text + b"\nendobj\n"
    table = "".join(f"{place:010d} 00000 n \n" for place in places)
    count = len(objects) + 1
    end = f"xref\n0 {count}\n0000000000 65535 f \n{table}trailer\n<< /Size {count} /Root 1 0 R >>\n"
    return out + end.encode() + f"startxref\n{len(out)}\n%%EOF\n".encode()
