"""The built-in tracker as a row of the table of trackers."""

from models.tracking.stereo_tracker import track
from models.tracking.trackers import TrackerChoice, TrackFunction


def make(_choice: TrackerChoice) -> TrackFunction:
    """Return the built-in tracker: it needs nothing but the dream."""
    return track
