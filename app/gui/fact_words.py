"""Why an action cannot be done now, in words: read beside it in the palette and said when it is tried."""

from collections.abc import Set

MISSING = {
    "dream": "open a dream first",
    "track": "track its tools first",
    "plan": "plan first",
    "approved": "approve the plan first",
    "rig_arms": "this rig has no arm; --rig chooses another rig",
    "arms": "connect the arms first",
    "moving": "only while the arms move",
    "busy": "nothing is worked on",
    "error": "no arm reports an error",
    "undo": "nothing to undo",
    "redo": "nothing to redo",
    "pose": "choose a saved pose first",
    "park": "the rig names no park_deg for the chosen arm",
    "gripper": "the chosen arm has no gripper that this program drives",
    "run": "choose a run first",
    "video": "this run has no video",
    "cameras": "turn on the cameras first",
    "recordable": "wait until the work that is on is done",
    "review": "record a take first",
    "discarded": "nothing to bring back",
    "idle": "wait until the work that is on is done",
    "force": "no force sensor is open",
    "armed": "take the scene's picture first",
    "correcting": "press Correct pose first",
    "demos": "record some demos first, or open some",
    "demos_open": "open some demos first",
    "demo": "choose a demo that can be read first",
    "demo_tracked": "track it first (Ctrl+T)",
    "demo_correcting": "correct its track first (C), where the tool has a pose",
    "demo_parts": "it has one part only; takes that were recorded apart cannot be joined, no clock joins them",
    "demo_undo": "nothing to undo",
    "demo_redo": "nothing to redo",
    "job": "choose a job first",
    "job_goes": "no chosen job runs or waits",
    "job_rests": "no chosen job is paused or was interrupted",
    "job_open": "what is chosen is over",
    "job_failed": "no chosen job failed or was cancelled",
    "job_still": "it runs; cancel it first",
    "job_training": "choose a training first",
    "job_dreams": "nothing was dreamt yet",
    "dream_form": "begin a new dream first (Ctrl+N)",
    "dream_ready": "choose a model that can be read, or wait until the scene was looked at",
    "dreaming": "nothing is being dreamt",
    "varied": "dream of a scene first (Ctrl+N)",
    "candidate": "open a candidate first",
    "candidates": "dream of a scene first (Ctrl+N)",
    "earlier": "there are no candidates from before",
    "train_form": "begin a new training first",
    "train_ready": "mend what is marked red first",
}
IN_THE_WAY = {
    "moving": "not while the arms move",
    "busy": "wait for the work that is on, or cancel it",
    "connecting": "the arms are being connected",
    "arms": "the arms are connected already",
    "cameras": "the cameras are on already",
    "opening": "the cameras are being turned on",
    "looking": "devices are being looked for",
    "recording": "stop recording first",
    "review": "keep or discard the take first",
    "demo_work": "wait for the work that is on",
    "dreaming": "wait until it is dreamt, or stop dreaming",
    "train_form": "start the training, or go back, first",
}
_ORDER = ("moving", "connecting", "busy", "opening", "recording", *MISSING)


def why_not(needs: Set[str], forbids: Set[str], facts: Set[str]) -> str:
    """Return the reason that a person can do something about first; "" where nothing stands in the way."""
    held = [(fact, IN_THE_WAY.get(fact, f"not while: {fact}")) for fact in forbids & facts]
    missing = [(fact, MISSING.get(fact, f"it needs: {fact}")) for fact in needs - facts]
    ranked = sorted(held + missing, key=lambda pair: _ORDER.index(pair[0]) if pair[0] in _ORDER else len(_ORDER))
    return ranked[0][1] if ranked else ""
