"""What a training dreams of scenes that it never saw, step by step, over what really happened there."""

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, QSignalBlocker, QSize, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QHideEvent, QImage, QPainter, QPaintEvent, QShowEvent
from PySide6.QtWidgets import QScrollArea, QSizePolicy, QSlider, QStackedLayout, QToolButton, QVBoxLayout, QWidget

from widgets.icons import icon
from widgets.panel import label, row, scrolled
from widgets.theme import color, font, set_state
from widgets.train_values import GalleryScene
from widgets.views.loss_curves import Nothing
from widgets.views.paint import badge_rect, draw_badge, elided, to_qimage

FPS = 6.0
GAP, TITLE, TRACK, LEAST, MOST = 10, 24, 20, 300, 480  # [px]


class DreamGallery(QWidget):
    """`show_steps(steps)`, then `show_scenes(step, scenes)` for the one that is wanted.

    `step_picked(step)`: a person wants to see that one; -1: the newest, whichever comes.
    """

    step_picked = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._steps: tuple[int, ...] = ()
        self._step, self._follows = -1, True
        self._slider = QSlider(Qt.Orientation.Horizontal)
        self._slider.setAccessibleName("Step")
        self._slider.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._newest, self._play = QToolButton(), QToolButton()
        self._newest.setText("Newest")
        self._newest.setCheckable(True)
        self._newest.setChecked(True)
        self._newest.setToolTip("Show what was dreamt last, and the next ones as they come")
        self._play.setIcon(icon("pause"))
        self._play.setToolTip("Play / stand still")
        for knob in (self._newest, self._play):
            set_state(knob, role="tiny")
            knob.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._where, self._words = label(""), label("", "muted", wrap=True)
        self._sheet = _Sheet()
        self._nothing = Nothing()
        self._clock = QTimer(self, interval=round(1000 / FPS))
        self._clock.timeout.connect(self._sheet.go_on)
        self._playing = True
        self._lay_out()
        self._slider.valueChanged.connect(self._slide)
        self._newest.clicked.connect(self._follow)
        self._play.clicked.connect(self.turn_play)
        self.show_steps(())

    @property
    def step(self) -> int:
        """The step that is shown, -1 for none."""
        return self._step if self._steps else -1

    @property
    def scenes(self) -> Sequence[GalleryScene]:
        """What is shown."""
        return self._sheet.scenes

    def show_steps(self, steps: Sequence[int], empty: str = "") -> None:
        """Offer these steps, rising; empty: what to say where there is none."""
        self._nothing.show_text(empty)
        if tuple(steps) == self._steps:
            return
        self._steps = tuple(steps)
        self._stack.setCurrentIndex(int(bool(steps)))
        if not steps:
            self._step, self._follows = -1, True
            self._newest.setChecked(True)
            self._sheet.show_scenes(())
            self._where.setText("")
            self._words.setText("")
        with QSignalBlocker(self._slider):
            self._slider.setRange(0, max(0, len(steps) - 1))
            at = len(steps) - 1 if self._follows or self._step not in self._steps else steps.index(self._step)
            self._slider.setValue(max(at, 0))
        self._slider.setEnabled(len(steps) > 1)

    def show_scenes(self, step: int, scenes: Sequence[GalleryScene], words: str = "") -> None:
        """Show what was dreamt at a step; words: its metrics over all scenes, a line or several."""
        self._step = step
        self._sheet.show_scenes(scenes)
        if step in self._steps:
            with QSignalBlocker(self._slider):
                self._slider.setValue(self._steps.index(step))
        count = f"{self._steps.index(step) + 1} of {len(self._steps)}" if step in self._steps else ""
        self._where.setText(" · ".join(filter(None, [f"step {step:,}", count])))
        self._words.setText(words)
        self._words.setVisible(bool(words))

    def go(self, steps: int) -> None:
        """Look at what was dreamt so many times later or earlier."""
        self._slider.setValue(self._slider.value() + steps)

    @Slot()
    def turn_play(self) -> None:
        """Let the dreams play, or stand still."""
        self._playing = not self._playing
        self._play.setIcon(icon("pause" if self._playing else "play"))
        self._run()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._run()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._clock.stop()

    def _run(self) -> None:
        if self._playing and self.isVisible():
            self._clock.start()
        else:
            self._clock.stop()

    @Slot(int)
    def _slide(self, at: int) -> None:
        if not 0 <= at < len(self._steps):
            return
        self._follows = at == len(self._steps) - 1
        self._newest.setChecked(self._follows)
        self.step_picked.emit(-1 if self._follows else self._steps[at])

    @Slot()
    def _follow(self) -> None:
        self._follows = True
        self._newest.setChecked(True)
        with QSignalBlocker(self._slider):
            self._slider.setValue(len(self._steps) - 1)
        self.step_picked.emit(-1)

    def _lay_out(self) -> None:
        head = row(self._play, self._slider, self._newest, self._where, spacing=8)
        head.setStretch(1, 1)
        shown = QWidget()
        inner = QVBoxLayout(shown)
        inner.setContentsMargins(0, 0, 0, 0)
        inner.setSpacing(4)
        inner.addLayout(head)
        inner.addWidget(self._words)
        area: QScrollArea = scrolled(self._sheet)
        inner.addWidget(area, 1)
        holder = QWidget()
        self._stack = QStackedLayout(holder)
        self._stack.addWidget(self._nothing)
        self._stack.addWidget(shown)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 0, 8, 8)
        column.addWidget(holder)


class _Sheet(QWidget):
    """The scenes, as many beside each other as there is room for, each with its rows under each other."""

    def __init__(self) -> None:
        super().__init__()
        self.scenes: tuple[GalleryScene, ...] = ()
        self._pictures: list[list[tuple[str, list[QImage]]]] = []
        self._frame = 0
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.setAccessibleName("Dreams of held-out scenes")

    def show_scenes(self, scenes: Sequence[GalleryScene]) -> None:
        self.scenes = tuple(scenes)
        self._pictures = [
            [(name, [to_qimage(frame) for frame in frames]) for name, frames in scene.rows.items() if frames]
            for scene in scenes
        ]
        self.updateGeometry()
        self.update()

    @Slot()
    def go_on(self) -> None:
        """Show the next picture of every dream."""
        if max((len(frames) for rows in self._pictures for _, frames in rows), default=0) > 1:
            self._frame += 1
            self.update()

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        places = self._places(width)
        return int(max((place.bottom() for place in places), default=40))

    def sizeHint(self) -> QSize:
        return QSize(640, self.heightForWidth(640))

    def minimumSizeHint(self) -> QSize:
        return QSize(LEAST, 60)

    def _places(self, width: int) -> list[QRectF]:
        """Where each scene lies [px]."""
        if not self._pictures:
            return []
        columns = max(1, min(len(self._pictures), (width + GAP) // (LEAST + GAP)))
        across = min((width - GAP * (columns - 1)) / columns, MOST)
        places, top = [], 0.0
        for first in range(0, len(self._pictures), columns):
            line = self._pictures[first : first + columns]
            heads = [_head(scene) for scene in self.scenes[first : first + columns]]
            talls = [sum(_height(frames[0], across) + 4 for _, frames in rows) for rows in line]
            tall = max(head + tall for head, tall in zip(heads, talls, strict=True))
            places += [QRectF(i * (across + GAP), top, across, tall) for i in range(len(line))]
            top += tall + GAP
        return places

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        shown = zip(self.scenes, self._pictures, self._places(self.width()), strict=True)
        for scene, rows, place in shown:
            if not place.intersects(QRectF(event.rect())):
                continue
            title = QRectF(place.left(), place.top(), place.width(), TITLE)
            painter.setFont(font(13, bold=True))
            painter.setPen(color("text"))
            left = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft
            name = elided(scene.name, 0.4 * title.width(), 13, bold=True)
            used = painter.boundingRect(title, left, name)
            painter.drawText(title, left, name)
            painter.setFont(font(13))
            painter.setPen(color("muted"))
            rest = title.adjusted(used.width() + 10, 0, 0, 0)
            painter.drawText(rest, left, elided(scene.words, rest.width(), 13))
            for line in scene.tracks:
                title.translate(0, TRACK)
                painter.drawText(title, left, elided(line, title.width(), 13))
            top = place.top() + _head(scene)
            for name, frames in rows:
                picture = frames[self._frame % len(frames)]
                area = QRectF(place.left(), top, place.width(), _height(picture, place.width()))
                painter.drawImage(area, picture)
                badge = badge_rect(name, QPointF(area.left() + 6, area.top() + 6), 12)
                draw_badge(painter, badge, name, pixels=12)
                top = area.bottom() + 4


def _head(scene: GalleryScene) -> int:
    """What is written over a scene [px]."""
    return TITLE + TRACK * len(scene.tracks)


def _height(picture: QImage, width: float) -> float:
    return width * picture.height() / max(picture.width(), 1)


def main() -> None:
    """Show three made-up scenes."""
    import numpy as np

    from widgets.demo import demo
    from widgets.views import made_up

    def make() -> QWidget:
        gallery = DreamGallery()
        frames = tuple(np.hstack([made_up.picture(v, k)[::4, ::4] for v in made_up.VIEWS]) for k in range(13))
        blurred = tuple((0.6 * frame).astype(np.uint8) for frame in frames)
        gallery.show_steps((100, 200, 300))
        tracks = ("tool: 92% followed · 3.1 mm · 4.2° · views 0.8 px apart (demo 0.4)",)
        shown = {"dreamt": blurred, "shown": frames}
        scenes = [GalleryScene(f"demo {k}", shown, "24.1 dB", tracks) for k in (3, 7, 9)]
        gallery.show_scenes(300, scenes, f"PSNR 24.1 dB\n{tracks[0]}")
        gallery.resize(900, 500)
        return gallery

    demo(make)


if __name__ == "__main__":
    main()
