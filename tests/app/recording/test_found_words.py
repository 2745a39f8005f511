"""What is plugged in, as lines that a rig.toml takes as they are."""

from pathlib import Path

from app.recording.found_words import toml_lines
from hardware.devices import FoundDevice
from hardware.rig import SIM_RIG, load_rig

FOUND = (
    FoundDevice("realsense", "844212070001", "Intel RealSense D435I\n USB 3.2"),
    FoundDevice("realsense", "844212070002", "Intel RealSense D435I, USB 3.2"),
    FoundDevice("basler", "24011001", "a2A1920"),
    FoundDevice("webcam", "0", "HD webcam"),
    FoundDevice("force", "\\\\.\\COM12", "USB serial"),
)


def test_the_lines_of_found_devices_are_a_rig_as_they_stand(tmp_path: Path) -> None:
    file = tmp_path / "rig.toml"
    handheld = (SIM_RIG.parent / "handheld.toml").read_text(encoding="utf-8")
    head, safety = handheld.split("[[cameras]]")[0], handheld.split("[safety]")[1]
    file.write_text(f"{head}\n{toml_lines(FOUND)}\n[safety]{safety}", encoding="utf-8")
    rig = load_rig(file)
    assert {(c.driver, c.serial) for c in rig.cameras} == {(d.driver, d.serial) for d in FOUND[:4]}
    assert len({c.camera.name for c in rig.cameras}) == 4
    (force,) = rig.sensors
    assert force.force is not None
    assert force.force.port == FOUND[4].serial


def test_nothing_found_is_no_line() -> None:
    assert toml_lines(()) == ""
