"""The printed sheet: true to scale, its ruler 100 mm, and the board on it is the one that is looked for."""

import re

import cv2
import numpy as np
import pytest

from hardware.calibration.board import A3, A4, Board, detect
from hardware.calibration.board_pdf import POINTS_PER_MM, SHEETS, board_pdf
from hardware.geometry import Array

RECTANGLE = re.compile(rb"^(\S+) (\S+) (\S+) (\S+) re f$", re.MULTILINE)
SCALE = re.compile(rb"^(\S+) 0 0 (\S+) 0 (\S+) cm$", re.MULTILINE)


def rectangles(pdf: bytes) -> Array:
    """(N, 4) x, y, width, height [mm] from the sheet's upper left corner."""
    return np.array([[float(n) for n in found] for found in RECTANGLE.findall(pdf)])


@pytest.mark.parametrize(("board", "sheet"), [(A4, "a4"), (A3, "a3")])
def test_what_is_printed_is_the_board_at_true_scale(board: Board, sheet: str) -> None:
    pdf, px_per_mm = board_pdf(board, sheet), 4
    width, height = SHEETS[sheet]
    page = np.full((round(height * px_per_mm), round(width * px_per_mm)), 255, np.uint8)
    for x, y, w, h in rectangles(pdf):
        corners = np.round(px_per_mm * np.array([x, y, x + w, y + h])).astype(int)
        page[corners[1] : corners[3], corners[0] : corners[2]] = 0
    view = detect(cv2.GaussianBlur(page, (0, 0), 1.0), board).view
    assert view is not None
    assert len(view.ids) == board.corners
    mm = (view.pixels + 0.5) / px_per_mm
    across = mm - mm[0] - 1e3 * (view.points(board) - view.points(board)[0])[:, :2]
    assert np.abs(across).max() < 0.1


def test_the_page_is_the_sheet_and_the_ruler_100_mm() -> None:
    pdf = board_pdf(A4, "a4")
    box = re.search(rb"/MediaBox \[0 0 (\S+) (\S+)\]", pdf)
    assert box is not None
    assert [float(n) / POINTS_PER_MM for n in box.groups()] == pytest.approx([297.0, 210.0], abs=1e-3)
    scale = SCALE.search(pdf)
    assert scale is not None
    assert float(scale[1]) == pytest.approx(72 / 25.4, rel=1e-9)
    assert -float(scale[2]) == pytest.approx(72 / 25.4, rel=1e-9)
    longest = max(rectangles(pdf), key=lambda r: r[2])
    assert longest[2] == pytest.approx(100.0)


def test_the_file_is_a_whole_pdf() -> None:
    pdf = board_pdf(A4, "a4")
    table = int(re.search(rb"startxref\n(\d+)\n%%EOF\n$", pdf)[1])  # type: ignore[index]
    assert pdf[table:].startswith(b"xref\n")
    for number, place in enumerate(re.findall(rb"^(\d{10}) 00000 n", pdf[table:], re.MULTILINE), 1):
        assert pdf[int(place) :].startswith(f"{number} 0 obj".encode())
    length = int(re.search(rb"/Length (\d+)", pdf)[1])  # type: ignore[index]
    start = pdf.index(b"stream\n") + 7
    assert pdf[start + length :].startswith(b"\nendstream")


def test_a_board_that_does_not_fit_is_refused_with_what_it_needs() -> None:
    with pytest.raises(ValueError, match=r"a4 is 297 x 210 mm, board a3 needs"):
        board_pdf(A3, "a4")
    with pytest.raises(ValueError, match="'a5'; valid: a4, a3"):
        board_pdf(A4, "a5")
