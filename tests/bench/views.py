"""The views of page Dream playing together: frames a second at 1600x900 in a window on a virtual X display.

Software OpenGL wherever the machine has no GPU. The window lives in a process of its own: Qt's platform can be
chosen only once in a process.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QApplication, QGridLayout, QWidget

from hardware.arm_model import link_meshes, link_poses
from hardware.rig import load_rig
from widgets.playback import Playback
from widgets.theme import apply_theme
from widgets.views import made_up
from widgets.views.outline import mesh_edges, outline
from widgets.views.scene_view import SceneView
from widgets.views.timeline import Timeline
from widgets.views.types import SceneArm, SceneMoment
from widgets.views.video_view import VideoView

SECONDS = 4.0


class Window(QWidget):
    """Two videos, the scene and the timeline, laid out as on page Dream, with two real arms that move."""

    def __init__(self) -> None:
        super().__init__()
        self.videos = [VideoView(view, f"View {i} · {view}") for i, view in enumerate(made_up.VIEWS, 1)]
        self.scene, self.timeline, self.playback = SceneView(), Timeline(), Playback(self)
        grid = QGridLayout(self)
        grid.addWidget(self.videos[0], 0, 0)
        grid.addWidget(self.videos[1], 0, 1)
        grid.addWidget(self.timeline, 1, 0, 1, 2)
        grid.addWidget(self.scene, 0, 2, 2, 1)
        for column, share in enumerate((3, 3, 2)):
            grid.setColumnStretch(column, share)
        grid.setRowStretch(0, 3)
        grid.setRowStretch(1, 2)
        self._rig = load_rig()
        arms = tuple(SceneArm(a.name, tuple(m for _, m in link_meshes(a.model))) for a in self._rig.arms)
        self.scene.show_static(replace(made_up.scene_static(), arms=arms))
        source = made_up.MadeUpSource()
        for view in (*self.videos, self.timeline):
            view.set_source(source)
        self.timeline.show_data(made_up.timeline_data())
        self.painted = 0
        self.scene.installEventFilter(self)
        self.playback.time_changed.connect(self.show_time)
        self.playback.set_range(0.0, float(made_up.WHEN[-1]), 1 / made_up.FPS)
        self.resize(1600, 900)

    def show_time(self, t: float) -> None:
        """Show one moment in all views."""
        for video in self.videos:
            video.show_time(t)
            video.show_overlays(*made_up.overlays(video.view, t))
        self.scene.show_moment(self.moment(t))
        self.timeline.show_time(t)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        self.painted += watched is self.scene and event.type() == QEvent.Type.Paint
        return False

    def moment(self, t: float) -> SceneMoment:
        """Planned arms ahead of the measured ones."""
        swing = 0.3 * np.sin(t + np.arange(7))
        planned = {a.name: a.T_world_base @ link_poses(a.model, a.home + swing) for a in self._rig.arms}
        measured = {a.name: a.T_world_base @ link_poses(a.model, a.home + 0.9 * swing) for a in self._rig.arms}
        frame = int(t * made_up.FPS + 1e-6)
        tools = {role: made_up.T_world_tool(role, t) for role in made_up.ROLES}
        pictures = {view: made_up.picture(view, frame) for view in made_up.VIEWS}
        return SceneMoment(tools, planned, measured, pictures)


def run() -> dict[str, object]:
    """Figures of the window in a process of its own, on a virtual display where there is Xvfb."""
    command = [sys.executable, "-m", "tests.bench.views", "--window"]
    environment = dict(os.environ, QT_QPA_PLATFORM="offscreen")
    if shutil.which("xvfb-run"):
        command = ["xvfb-run", "-a", "-s", "-screen 0 1600x900x24", *command]
        environment = dict(os.environ, QT_QPA_PLATFORM="xcb")
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=180)
    if done.returncode:
        raise RuntimeError(f"the window of the bench failed: {done.stderr[-2000:]}")
    figures: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return figures


def _figures() -> dict[str, object]:
    app = QApplication([])
    apply_theme(app)
    window = Window()
    window.show()
    for t in made_up.WHEN:  # paint every made-up picture and outline once, as a loaded dream has them
        window.show_time(float(t))
        app.processEvents()
    together, apart = _flat_out(app, window), _repaints(window)
    return {
        "platform": app.platformName(),
        "load": round(os.getloadavg()[0], 2),
        "every_view_repainted_each_time_fps": together,
        "playing_on_its_timer_fps": _playing(app, window),
        **apart,
        "outline_2112_faces_ms": _outline_ms(),
    }


def _flat_out(app: QApplication, window: Window) -> float:
    """Every moment new and every view painted, though the videos change with each sixth moment only."""
    start, n = time.perf_counter(), 0
    while time.perf_counter() - start < SECONDS:
        window.show_time(n / 36 % 2.0)
        for view in (*window.videos, window.scene, window.timeline):
            view.repaint()
        app.processEvents()
        n += 1
    return n / (time.perf_counter() - start)


def _playing(app: QApplication, window: Window) -> float:
    """What is painted, not what is asked for: paints of the scene a second."""
    window.painted, start = 0, time.perf_counter()
    window.playback.play()
    while time.perf_counter() - start < SECONDS:
        app.processEvents()
        time.sleep(0.0005)
    window.playback.pause()
    return window.painted / (time.perf_counter() - start)


def _repaints(window: Window) -> dict[str, object]:
    """Milliseconds of showing and painting one new moment in each view, median and 95th percentile."""
    video = window.videos[0]

    def new_picture(t: float) -> None:
        video.show_time(t)
        video.show_overlays(*made_up.overlays("top", t))

    steps: dict[str, tuple[QWidget, Callable[[float], None], float]] = {
        "video_new_picture": (video, new_picture, 1 / made_up.FPS),
        "scene": (window.scene, lambda t: window.scene.show_moment(window.moment(t)), 1 / 36),
        "timeline_cursor": (window.timeline, window.timeline.show_time, 1 / 36),
    }
    figures: dict[str, object] = {"video_size": f"{video.width()}x{video.height()}"}
    for name, (widget, show, step) in steps.items():
        times = []
        for i in range(72):
            start = time.perf_counter()
            show(i * step % 2.0)
            widget.repaint()
            times.append(1e3 * (time.perf_counter() - start))
        figures[f"{name}_ms"] = {"median": float(np.median(times)), "p95": float(np.percentile(times, 95))}
    return figures


def _outline_ms() -> float:
    from widgets.views.made_up_mesh import ball

    edges, T_cam_tool, times = mesh_edges(ball(rings=24, sectors=44)), np.eye(4), []
    T_cam_tool[2, 3] = 0.8
    for _ in range(100):
        start = time.perf_counter()
        outline(edges, T_cam_tool, made_up.CAMERAS[0])
        times.append(1e3 * (time.perf_counter() - start))
    return float(np.median(times))


def main() -> None:
    """Print the figures; with --window measure in this very process."""
    print(json.dumps(_figures() if "--window" in sys.argv else run(), indent=None))


if __name__ == "__main__":
    main()
