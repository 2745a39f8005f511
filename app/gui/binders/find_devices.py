"""Binds "Find devices" of page Rig: looks for what is plugged in, in a thread, as some SDKs take seconds."""

from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor

from app.gui.binders.binder import QuietBinder, Shell
from app.recording.found_words import toml_lines
from hardware.devices import FoundDevice, found_devices
from widgets.found_devices import FoundState
from widgets.pages.rig import RigPage

Found = tuple[tuple[FoundDevice, ...], Mapping[str, str]]


def found_state(found: Found) -> FoundState:
    """Return in words what is plugged in, and what cannot be looked for."""
    devices, unknown = found
    count = len(devices)
    title = (
        "Nothing is plugged in that this program can look for" if not count else f"{count} devices are plugged in"
    )
    if count == 1:
        title = "1 device is plugged in"
    more = (
        ": its lines for a rig.toml; give it a name of your own" if count == 1 else ": their lines for a rig.toml"
    )
    return FoundState(title + (more if count else ""), toml_lines(devices), tuple(unknown.values()))


class FindDevicesBinder(QuietBinder):
    """find(): what is plugged in, and by driver why it cannot look."""

    def __init__(self, page: RigPage, shell: Shell, find: Callable[[], Found] = found_devices) -> None:
        super().__init__(page)
        self._page, self._shell, self._find = page, shell, find
        self._background = ThreadPoolExecutor(max_workers=1, thread_name_prefix="find")
        self._looking: Future[Found] | None = None

    def handlers(self) -> Mapping[str, Callable[[], None]]:
        return {"cameras.find": self._look}

    def facts(self) -> set[str]:
        return {"looking"} if self._looking is not None else set()

    def tick(self) -> None:
        if self._looking is not None and self._looking.done():
            looked, self._looking = self._looking, None
            self._page.cameras.found.show_found(found_state(looked.result()))

    def close(self) -> None:
        self._background.shutdown(wait=True, cancel_futures=True)

    def _look(self) -> None:
        if self._looking is not None:
            return
        self._shell.go("rig")
        self._page.show_view("Cameras")
        self._page.cameras.found.show_found(FoundState("Looking for what is plugged in"))
        self._looking = self._background.submit(self._find)
