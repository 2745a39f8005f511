"""Renders in a process of its own: a GL context of MuJoCo's in the tests' process would disturb Qt's."""

import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import Any


def elsewhere(function: Callable[..., Any], *calls: tuple[tuple[Any, ...], dict[str, Any]]) -> list[Any]:
    """Return function(*args, **keywords) of each call, made one after the other in one other process."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return [future.result() for future in [pool.submit(function, *args, **words) for args, words in calls]]
