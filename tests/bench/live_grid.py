"""What the live grid costs: CPU time of the window's process for each picture shown, four cameras at preview size.

`python -m tests.bench.live_grid`. Time is that of the whole process, Qt's helper threads included.
"""

import os
import time

import numpy as np

SECONDS, CAMERAS, FPS, SIZE = 6.0, 4, 15.0, (640, 360)


def main() -> None:
    """Print the cost of a picture, and how old pictures are when they have been painted."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from PySide6.QtWidgets import QApplication

    from hardware.types import Frame
    from widgets.record_values import Fact, StreamRow
    from widgets.theme import apply_theme
    from widgets.views.live_grid import LiveGrid
    from widgets.views.live_picture import LivePicture

    pictures = [np.random.default_rng(k).integers(0, 255, (SIZE[1], SIZE[0], 3), np.uint8) for k in range(8)]

    class Source:
        """Every camera has a new picture at its own instants."""

        def latest(self, name: str) -> Frame:
            phase = int(name) / CAMERAS
            index = int(time.monotonic() * FPS + phase)
            t = (index - phase) / FPS
            return Frame(name, index, t, t, pictures[index % len(pictures)])

    app = QApplication([])
    apply_theme(app)
    painted: list[float] = []

    def counted(view: LivePicture, frame: Frame | None) -> bool:
        fresh = show(view, frame)
        if fresh and frame is not None:
            view.repaint()
            painted.append(time.monotonic() - frame.t_host)
        return fresh

    show = LivePicture.show_frame
    LivePicture.show_frame = counted  # type: ignore[method-assign]
    grid = LiveGrid()
    grid.set_source(Source())
    facts = (Fact("15.0 fps", "ok"), Fact("age 31 ms"), Fact("0 drops", "ok"), Fact("skew +3 ms"))
    grid.show_streams([StreamRow(str(k), facts=facts) for k in range(CAMERAS)])
    grid.resize(1100, 640)
    grid.show()
    for _ in range(20):
        app.processEvents()
    painted.clear()
    began, cpu = time.monotonic(), time.process_time()
    while time.monotonic() - began < SECONDS:
        app.processEvents()
        time.sleep(0.001)
    spent = time.process_time() - cpu
    share = spent / SECONDS
    rate, late = len(painted) / SECONDS, 1000 * np.array(painted)
    print(f"{CAMERAS} cameras of {SIZE[0]}x{SIZE[1]}: {rate:.1f} pictures a second, {share:.1%} of a core")
    print(f"{1000 * spent / len(painted):.2f} ms of CPU a picture, the polling of this bench included")
    print(f"from a new picture to painted: median {np.median(late):.0f} ms, most {late.max():.0f} ms")


if __name__ == "__main__":
    main()
