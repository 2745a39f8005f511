"""The recording of a run: what the cameras saw and what the arms said, in one MCAP file."""

from collections import Counter
from collections.abc import Mapping

from app.execution.rig_link import RigLink
from app.execution.run_folder import RunFolder
from hardware.recording.recorder import Ended, Recorder, flaw_counts
from hardware.robots.arm_streams import ArmStreams

LOST = ("recorder dropped", "device dropped")


class RunRecorder:
    """Records from construction to `stop`, in threads of its own."""

    def __init__(self, folder: RunFolder, link: RigLink, facts: Mapping[str, str]) -> None:
        """facts: stand in the file. Raises OSError where the file cannot be made."""
        self._arms = ArmStreams(link.group, link.rig)
        self._ended: Ended | None = None
        try:
            # they are connected: this says what they deliver
            cameras = {name: (camera.connect(), camera.ring) for name, camera in link.cameras.items()}
            self._recorder = Recorder(folder.recording, {**cameras, **self._arms.streams}, facts=facts)
        except BaseException:
            self._arms.close()
            raise

    def stop(self) -> Ended:
        """Finish the file and bring it to the disk. Safe to call twice."""
        if self._ended is None:
            self._ended = self._recorder.stop()
            self._arms.close()
        return self._ended


def problem_of(ended: Ended) -> str:
    """Return in words what is missing in a recording, "" where nothing is."""
    lost: Counter[str] = Counter()
    for flaw in ended.flaws:
        if flaw.kind in LOST:
            lost[flaw.stream] += flaw.count
    told = [f"the recording lacks {count} samples of {stream}" for stream, count in lost.items()]
    return "; ".join([*([ended.problem] if ended.problem else []), *told])


def facts_of(ended: Ended) -> Mapping[str, object]:
    """Return what run.json says of a recording: samples and flaws by stream, and the file's checksum."""
    return {
        "samples": dict(ended.samples),
        "flaws": flaw_counts(ended.flaws),
        "mcap_sha256": ended.sha256,
        "mcap_bytes": ended.bytes,
    }
