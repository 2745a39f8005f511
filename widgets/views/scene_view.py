"""The 3-D scene: table, cameras with their pictures, moving tools, paths, violations, arm ghosts, boxes."""

import time

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QImage, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QSizePolicy, QToolButton, QWidget

from hardware.types import Image
from widgets.theme import color, set_state
from widgets.views import scene_model as model
from widgets.views.gizmo import Eye, Gizmo
from widgets.views.gizmo import draw as draw_gizmo
from widgets.views.gizmo import lines as handle_lines
from widgets.views.grips import HandleGrip
from widgets.views.orbit import PRESETS, Orbit, Preset
from widgets.views.paint import draw_empty, same_picture
from widgets.views.scene_gl import SceneRenderer
from widgets.views.scene_words import draw_caption, draw_line, draw_names
from widgets.views.types import SceneMoment, SceneStatic

MOST_PIXELS = 1_500_000  # of the off-screen picture at rest; twice the widget's each way while it fits
ROOM_FOR_PRESETS = 360  # narrower, the keys 1-4 are all there is
REST_MS = (
    600  # without a change before the picture is refined; moving arms are drawn five times a second or more often
)
APART_MS = 12  # after the pictures beside it: a key waits for the painting of one of them, not of all
WIDEST_PICTURE = 400  # [px] a camera's picture is small on the screen


class SceneView(QWidget):
    """Drag turns, right drag or Shift+drag moves, wheel zooms, double click resets; 1-4 choose a preset.

    A handle of `show_gizmo` goes before: dragging it emits `pose_dragged(tool, T_world_tool, done)`, with Shift a
    tenth of the way; Esc gives it up (`drag_given_up(tool)`).

    The scene is drawn off screen and painted as a picture, so it needs no OpenGL widget and renders under any Qt
    platform, the offscreen one too.
    """

    preset_changed = Signal(str)
    pose_dragged = Signal(str, object, bool)
    drag_given_up = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._static, self._moment = SceneStatic(), SceneMoment()
        self._caption, self._empty, self._problem = "Scene", "", ""
        self._orbit, self._drawing_s = Orbit(), 0.0
        self._renderer: SceneRenderer | None = None
        self._image: QImage | None = None
        self._pixels: Image | None = None  # what the image is a window on: it must live as long
        self._uploaded: SceneStatic | None = None
        self._parts: list[model.Part] = []
        self._shown: dict[str, Image] = {}
        self._grip: QPointF | None = None
        self._handles, self._step = HandleGrip(), ""
        self.setMouseTracking(True)
        self._at_rest = False
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(REST_MS)
        self._rest.timeout.connect(self._refine)
        self._apart = QTimer(self)
        self._apart.setSingleShot(True)
        self._apart.setInterval(APART_MS)
        self._apart.timeout.connect(self.update)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(280, 200)
        self.setAccessibleName("3-D scene")
        self._buttons = self._preset_buttons()
        self.destroyed.connect(_Closer(self))

    def show_static(self, static: SceneStatic) -> None:
        """Show what stands still; rebuilds the scene, so call it on changes only."""
        self._static, self._empty = static, ""
        self._redraw()

    def show_moment(self, moment: SceneMoment) -> None:
        """Show where everything is now, a moment later; cheap, for every frame."""
        self._moment = moment
        self._outdate()
        if not self._apart.isActive():
            self._apart.start()

    def show_gizmo(self, gizmo: Gizmo | None, fine: bool = False, step: str = "") -> None:
        """Show handles at a tool, or none; fine: they go a tenth of the mouse's way; step: words below."""
        if gizmo is None and self._handles.gizmo is None:
            return
        self._handles.gizmo, self._handles.fine, self._step = gizmo, fine, step
        if gizmo is None:
            self._handles.release()
            self._handles.hot = None
            self.unsetCursor()
        self.update()

    def show_caption(self, text: str) -> None:
        """A line at the top, such as "Scene · world frame"."""
        self._caption = text
        self.update()

    def show_empty(self, text: str) -> None:
        """Show table and cameras only, with a line that says what to do next."""
        kept = SceneStatic(table_size=self._static.table_size, cameras=self._static.cameras)
        self._static, self._moment, self._empty = kept, SceneMoment(), text
        self._redraw()

    @property
    def preset(self) -> Preset:
        """Where it was last looked from by choice."""
        return self._orbit.preset

    def set_preset(self, preset: Preset) -> None:
        """Look from free (three quarters), front, top or side."""
        self._orbit.reset(preset)
        for button in self._buttons.buttons():
            button.setChecked(button.property("preset") == preset)
        self._redraw()
        self.preset_changed.emit(preset)

    @property
    def drawing_s(self) -> float:
        """How long the last picture took to draw [s]."""
        return self._drawing_s

    def sizeHint(self) -> QSize:
        return QSize(420, 330)

    def _preset_buttons(self) -> QButtonGroup:
        group = QButtonGroup(self)
        row = QHBoxLayout(self)
        row.setContentsMargins(6, 6, 6, 6)
        row.setSpacing(2)
        row.addStretch()
        for number, preset in enumerate(PRESETS, 1):
            button = QToolButton(self)
            button.setText(preset.capitalize())
            button.setCheckable(True)
            button.setChecked(preset == "free")
            button.setToolTip(f"Look from {preset} ({number})")
            button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            button.setProperty("preset", preset)
            set_state(button, role="tiny")
            group.addButton(button)
            row.addWidget(button, alignment=Qt.AlignmentFlag.AlignTop)
        group.buttonClicked.connect(self._preset_clicked)
        return group

    @Slot(object)
    def _preset_clicked(self, button: QToolButton) -> None:
        self.set_preset(button.property("preset"))

    def _redraw(self) -> None:
        self._outdate()
        self.update()

    def _outdate(self) -> None:
        self._image, self._at_rest = None, False
        self._rest.start()

    @Slot()
    def _refine(self) -> None:
        """Nothing has moved for a while: draw once more, with twice the pixels."""
        self._image, self._at_rest = None, True
        self.update()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._uploaded = None  # what stands still carries the colours of the theme before
            self._redraw()

    def resizeEvent(self, event: QResizeEvent) -> None:
        for button in self._buttons.buttons():
            button.setVisible(self.width() >= ROOM_FOR_PRESETS)
        self._redraw()

    def paintEvent(self, event: QPaintEvent) -> None:
        image = self._render()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        if image is None:
            painter.fillRect(self.rect(), color("well"))
            draw_empty(
                painter,
                QRectF(self.rect()),
                f"The 3-D view is off: {self._problem}.\nInstall libegl1 and libgl1-mesa-dri.",
            )
        else:
            painter.drawImage(self.rect(), image)
            clip = self._orbit.clip_from_world(self.width() / max(self.height(), 1))
            draw_names(painter, self._static, clip, (self.width(), self.height()))
            if self._handles.gizmo is not None:
                draw_gizmo(painter, handle_lines(self._handles.gizmo, self._eye()), self._handles.hot)
        first = self._buttons.buttons()[0]
        draw_caption(painter, self._caption, float(first.x() if first.isVisible() else self.width()))
        words = self._step if self._handles.gizmo is not None else self._empty
        draw_line(painter, () if self._handles.gizmo else self._static.violations, words, self.rect())

    def _render(self) -> QImage | None:
        """Draw the scene where it changed since the last time; None where this machine cannot."""
        if self._image is None and not self._problem:
            try:
                self._renderer = self._renderer or SceneRenderer()
                begun = time.perf_counter()
                self._image = self._drawn(self._renderer)
                self._drawing_s = time.perf_counter() - begun
            except RuntimeError as error:
                self._problem = str(error)
        return self._image

    def _drawn(self, renderer: SceneRenderer) -> QImage:
        renderer.activate()
        if self._uploaded is not self._static:
            self._upload(renderer)
        eye = self._orbit.T_world_eye[:3, 3]
        renderer.set_solids(*model.solids(self._parts, self._moment, eye))
        renderer.set_lines(model.moving_lines(self._static, self._moment), moving=True)
        renderer.keep_pictures(self._moment.pictures)
        self._shown = {name: rgb for name, rgb in self._shown.items() if name in self._moment.pictures}
        for name, rgb in self._moment.pictures.items():
            if not same_picture(self._shown.get(name), rgb):
                step = max(rgb.shape[1] // WIDEST_PICTURE, 1)
                renderer.set_picture(name, rgb[::step, ::step])
                self._shown[name] = rgb
        width, height = max(self.width(), 1), max(self.height(), 1)
        ratio = self.devicePixelRatioF()
        finer = max(1.0, (MOST_PIXELS / (width * height)) ** 0.5 / ratio)
        scale = ratio * (min(2.0, finer) if self._at_rest else 1.0)
        size = (round(width * scale), round(height * scale))
        clip = self._orbit.clip_from_world(width / height)
        self._pixels = renderer.render(clip, size, scale, model.rgba("well"))
        return QImage(self._pixels.data, *size, 4 * size[0], QImage.Format.Format_RGBX8888)

    def _upload(self, renderer: SceneRenderer) -> None:
        static = self._static
        self._parts = model.parts(static)
        renderer.set_lines(model.still_lines(static))
        renderer.set_dots(model.dots(static))
        renderer.set_screens(model.screens(static))
        self._uploaded, self._shown = static, {}

    def _eye(self) -> Eye:
        clip = self._orbit.clip_from_world(self.width() / max(self.height(), 1))
        return Eye(clip, float(max(self.width(), 1)), float(max(self.height(), 1)))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        at, left = event.position(), event.button() == Qt.MouseButton.LeftButton
        if left and self._handles.press(self._eye(), at.x(), at.y()):
            self.setCursor(Qt.CursorShape.ClosedHandCursor)
        else:
            self._grip = at

    def _drag_handle(self, event: QMouseEvent) -> None:
        fine = self._handles.fine or bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        T = self._handles.drag(self._eye(), event.position().x(), event.position().y(), fine)
        self.pose_dragged.emit(self._gizmo_tool(), T, False)

    def _gizmo_tool(self) -> str:
        return self._handles.gizmo.tool if self._handles.gizmo is not None else ""

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._handles.held:
            self._drag_handle(event)
        elif self._grip is None and self._handles.hover(self._eye(), event.position().x(), event.position().y()):
            self.setCursor(Qt.CursorShape.OpenHandCursor) if self._handles.hot else self.unsetCursor()
            self.update()
        if self._grip is None:
            return
        moved = event.position() - self._grip
        self._grip = event.position()
        turning = (
            event.buttons() & Qt.MouseButton.LeftButton
            and not event.modifiers() & Qt.KeyboardModifier.ShiftModifier
        )
        if turning:
            self._orbit.turn(-0.008 * moved.x(), 0.008 * moved.y())
        else:
            self._orbit.move(-moved.x() / self.height(), moved.y() / self.height())
        self._redraw()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._grip = None
        begun, gizmo = self._handles.release(), self._handles.gizmo
        if begun is None or gizmo is None:
            return
        self.setCursor(Qt.CursorShape.OpenHandCursor)
        if gizmo.T_world_tool is not begun:
            self.pose_dragged.emit(gizmo.tool, gizmo.T_world_tool, True)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self._orbit.reset()
        self._redraw()

    def leaveEvent(self, event: object) -> None:
        if self._handles.hot is not None and not self._handles.held:
            self._handles.hot = None
            self.update()

    def wheelEvent(self, event: QWheelEvent) -> None:
        self._orbit.zoom(1.15 ** (event.angleDelta().y() / 120))
        self._redraw()
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        presets = dict(zip("1234", PRESETS, strict=True))
        if event.text() in presets:
            self.set_preset(presets[event.text()])
        elif event.key() == Qt.Key.Key_Escape and self._handles.release() is not None:
            self.drag_given_up.emit(self._gizmo_tool())
        else:
            super().keyPressEvent(event)

    def release(self) -> None:
        """Give the drawing surface back; the next paint makes a new one."""
        if self._renderer is not None:
            self._renderer.close()
        self._renderer = self._uploaded = None


class _Closer:
    """Closes the renderer when Qt destroys the view, without keeping the view alive."""

    def __init__(self, view: SceneView) -> None:
        self._state = view.__dict__

    def __call__(self, *_: object) -> None:
        renderer = self._state.get("_renderer")
        if renderer is not None:
            renderer.close()
            self._state["_renderer"] = None


def main() -> None:
    """Play the made-up dream in 3-D."""
    from PySide6.QtWidgets import QApplication

    from widgets.playback import Playback
    from widgets.theme import apply_theme
    from widgets.views import made_up

    app = QApplication([])
    apply_theme(app)
    view, playback = SceneView(), Playback()
    view.resize(900, 650)
    view.show_caption("Scene · world frame")
    view.show_static(made_up.scene_static())
    playback.time_changed.connect(lambda t: view.show_moment(made_up.scene_moment(t)))
    playback.set_range(0.0, float(made_up.WHEN[-1]), 1 / made_up.FPS)
    playback.play()
    view.show()
    app.exec()


if __name__ == "__main__":
    main()
