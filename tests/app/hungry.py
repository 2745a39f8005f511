"""A job for the worker process that needs more memory than there is."""

import resource

import numpy as np
import psutil

ROOM = 64 * 2**20


def track(*_: object) -> None:
    """As if the computer's memory ended a little above what this process has."""
    limit = psutil.Process().memory_info().vms + ROOM
    resource.setrlimit(resource.RLIMIT_AS, (limit, resource.getrlimit(resource.RLIMIT_AS)[1]))
    kept = []
    while True:
        kept.append(np.ones(2**20))
