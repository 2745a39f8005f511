"""Traps of the pinned Qt binding that once cost somebody days (an interpreter abort after some 2,000 emits)."""

import sys

from PySide6.QtCore import QObject, Signal, Slot


class _Sender(QObject):
    sent = Signal(float)


class _Receiver(QObject):
    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    @Slot(float)
    def take(self, _value: float) -> None:
        self.count += 1


def test_ten_thousand_emits_keep_the_interpreter_alive(qapp: object) -> None:
    sender, receiver = _Sender(), _Receiver()
    sender.sent.connect(receiver.take)
    before = sys.getrefcount(True)
    for i in range(10_000):
        sender.sent.emit(float(i))
    assert receiver.count == 10_000
    assert abs(sys.getrefcount(True) - before) < 1_000
