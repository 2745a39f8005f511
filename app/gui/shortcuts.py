"""Which keys an action may have: none that another has, none that stop the arms, none that move the focus."""

from collections.abc import Mapping

from PySide6.QtCore import QKeyCombination, Qt
from PySide6.QtGui import QKeySequence

# Esc and Space stop whatever moves (key_guard.py); Return holds Approve down; Tab moves the focus.
RESERVED = {
    Qt.Key.Key_Escape: "stops the arms",
    Qt.Key.Key_Space: "stops the arms while they move",
    Qt.Key.Key_Return: "presses the chosen button",
    Qt.Key.Key_Enter: "presses the chosen button",
    Qt.Key.Key_Tab: "goes to the next field",
    Qt.Key.Key_Backtab: "goes to the field before",
}
MODIFIERS = {Qt.Key.Key_Control, Qt.Key.Key_Shift, Qt.Key.Key_Alt, Qt.Key.Key_Meta, Qt.Key.Key_unknown}


def plain(keys: str) -> str:
    """Return keys as they are compared and kept: "ctrl+k" and "Ctrl+K" are one."""
    return QKeySequence(keys).toString(QKeySequence.SequenceFormat.PortableText)


def refusal(keys: str, usual: str = "") -> str:
    """Return why no action may have these keys, "" where one may. usual: what the table gives is always allowed."""
    if not keys:
        return ""
    sequence = QKeySequence(keys)
    if sequence.isEmpty() or not plain(keys):
        return f"{keys!r} is no key"
    if plain(keys) == plain(usual):
        return ""
    first: QKeyCombination = sequence[0]  # type: ignore[index]  # the stubs do not know it
    if first.key() in MODIFIERS:
        return f"{keys!r} is no key"
    if sequence.count() > 1:
        return "one key (with Ctrl, Alt, Shift) is enough"
    shift_only = first.keyboardModifiers() in (
        Qt.KeyboardModifier.NoModifier,
        Qt.KeyboardModifier.ShiftModifier,
        Qt.KeyboardModifier.KeypadModifier,
    )
    if first.key() in (Qt.Key.Key_Escape, Qt.Key.Key_Space) or (first.key() in RESERVED and shift_only):
        return f"{plain(keys)} {RESERVED[first.key()]}"
    return ""


def together(a: str, b: str, pages: Mapping[str, str]) -> bool:
    """Whether two actions can be possible at once. pages: where each is offered, "" for everywhere."""
    return "" in (here := (pages.get(a, ""), pages.get(b, ""))) or here[0] == here[1]


def resolve(
    usual: Mapping[str, str], chosen: Mapping[str, str], pages: Mapping[str, str]
) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return the keys by action and what of `chosen` could not be used, in sentences.

    What a person chose comes before what is usual; of two choices for one key the first is kept. Actions of two
    pages may share a key.
    """
    keys, problems = dict(usual), []
    taken: dict[str, str] = {}
    for id, wish in chosen.items():
        problem = f"there is no action {id}" if id not in usual else refusal(wish, usual[id])
        owner = "" if problem else owner_of(wish, taken, pages, besides=id)
        if problem or owner:
            problems.append(f"shortcut of {id}: {problem or f'{plain(wish)} belongs to {owner}'}; dropped")
            continue
        keys[id] = taken[id] = plain(wish)
    for id in usual.keys() - chosen.keys():
        if owner_of(usual[id], taken, pages, besides=id):
            keys[id] = ""
    return keys, tuple(problems) + _doubles(keys, usual, pages)


def _doubles(keys: dict[str, str], usual: Mapping[str, str], pages: Mapping[str, str]) -> tuple[str, ...]:
    """A choice that was dropped falls back to its usual keys, which somebody may have taken meanwhile."""
    seen: dict[str, str] = {}
    lost: list[str] = []
    for id in sorted(keys, key=lambda id: plain(keys[id]) == plain(usual[id])):
        owner = owner_of(keys[id], seen, pages, besides=id)
        if owner:
            lost.append(f"shortcut of {id}: {keys[id]} belongs to {owner}; it has none")
            keys[id] = ""
        seen[id] = keys[id]
    return tuple(lost)


def owner_of(keys: str, held: Mapping[str, str], pages: Mapping[str, str], besides: str = "") -> str:
    """Return the id of the action whose keys these are wherever `besides` is possible, "" where none has them."""
    wanted = plain(keys) if keys else ""
    same = [i for i, has in held.items() if has and i != besides and plain(has) == wanted]
    return next((id for id in same if together(id, besides, pages)), "") if wanted else ""
