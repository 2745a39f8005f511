"""What the tracker calls doubtful is drawn as doubtful."""

from app.gui.binders.dream_pictures import LOW_CONFIDENCE
from models.tracking.stereo_tracker import ALARM_LEVEL
from widgets.theme import confidence_level


def test_timeline_and_colours_raise_the_alarm_where_the_tracker_does() -> None:
    assert LOW_CONFIDENCE == ALARM_LEVEL
    assert (confidence_level(ALARM_LEVEL), confidence_level(ALARM_LEVEL - 0.01)) == ("warning", "alarm")
