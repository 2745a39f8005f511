"""The words for an arm's error code, by the driver that its rig names."""

from collections.abc import Callable, Mapping

from hardware.robots import ur_codes, xarm_codes

WORDS: Mapping[str, Callable[[int], str]] = {"xarm": xarm_codes.error_in_words, "ur": ur_codes.error_in_words}


def error_in_words(driver: str, code: int) -> str:
    """Return "error 31: what it means; what to do"; the bare code for a driver without a table."""
    return WORDS[driver](code) if driver in WORDS else f"error {code}"
