"""Telling others that something changed, in the thread that owns it."""

from collections.abc import Callable

Listener = Callable[[str], None]


class Listeners:
    """Callbacks that are told a topic. Not thread-safe on purpose: everything happens in the owner's thread."""

    def __init__(self) -> None:
        self._listeners: list[Listener] = []

    def add(self, listener: Listener) -> Callable[[], None]:
        """Call `listener(topic)` at every change from now on; return the function that ends it."""
        self._listeners.append(listener)

        def remove() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)

        return remove

    def tell(self, topic: str) -> None:
        for listener in tuple(self._listeners):
            listener(topic)
