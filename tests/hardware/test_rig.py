"""A rig file that is wrong says where: file, line, field, value and what would be valid."""

from pathlib import Path

import numpy as np
import pytest

from hardware.collision import CollisionModel
from hardware.kinematics import MODELS
from hardware.rig import DRIVER_MODELS, SIM_RIG, built_in_rigs, load_rig
from hardware.tools import BUILT_IN_TOOLS, load_tool
from tests.hardware.rig_mistakes import Mistake, must_be_told

TEXT = SIM_RIG.read_text(encoding="utf-8")


def line_of(text: str, start: str, nth: int = 1) -> int:
    lines = [i for i, line in enumerate(text.splitlines(), 1) if line.startswith(start)]
    return lines[nth - 1]


BROKEN: dict[str, Mistake] = {
    "a misspelt model": ('model = "xarm7"', 'model = "xarm9"', "arms[0].model", "'xarm9'", "xarm7"),
    "a driver nobody has": ('driver = "xarm"', 'driver = "kuka"', "arms[0].driver", "'kuka'", "xarm, ur"),
    "a UR behind the xArm driver": ('model = "xarm7"', 'model = "ur5"', "arms[0].model", "'ur5'", "xarm7"),
    "too few angles": ("110.0, 0.0]", "110.0]", "arms[0].home_deg", "6 angles", "7"),
    "an angle out of range": ("110.0, 0.0]", "190.0, 0.0]", "arms[0].home_deg", "joint 6 at 190", "-97 to 180"),
    "text for a number": (
        "command_rate_hz = 100",
        'command_rate_hz = "fast"',
        "arms[0].command_rate_hz",
        "'fast'",
        "a number",
    ),
    "no rate": ("command_rate_hz = 100", "command_rate_hz = 0", "arms[0].command_rate_hz", "0.0", "over 0"),
    "two numbers for three": (
        "position = [-0.63, 0.0, 0.0]",
        "position = [-0.63, 0.0]",
        "arms[0].position",
        "2 numbers",
        "3",
    ),
    "words among numbers": (
        "position = [-0.63, 0.0, 0.0]",
        'position = ["x", 0, 0]',
        "arms[0].position",
        "'x'",
        "3 numbers",
    ),
    "nan": ("position = [-0.63, 0.0, 0.0]", "position = [nan, 0, 0]", "arms[0].position", "nan", "finite"),
    "an address off this machine": ('"127.0.0.11"', '"10.0.0.11"', "arms[0].address", "'10.0.0.11'", "127."),
    "a misspelt field": (
        "rpy_deg = [0.0, 0.0, 0.0]",
        "rpy_degs = [0.0, 0.0, 0.0]",
        "arms[0].rpy_deg",
        "'rpy_degs'",
        "square brackets",
    ),
    "a field nobody knows": (
        "tip_speed = 0.25 ",
        "colour = 1\ntip_speed = 0.25 ",
        "safety.colour",
        "not known",
        "tip_acceleration",
    ),
    "a negative limit": (
        "tip_acceleration = 2.0",
        "tip_acceleration = -2.0",
        "safety.tip_acceleration",
        "-2.0",
        "over 0",
    ),
    "a workspace upside down": (
        "workspace = [[-0.60,",
        "workspace = [[0.90,",
        "safety.workspace",
        "0.9",
        "lower corner",
    ),
    "a gripper that nobody drives": (
        "command_rate_hz = 100",
        'command_rate_hz = 100\ngripper = "robotiq"',
        "arms[0].gripper",
        "'robotiq'",
        "xarm",
    ),
    "a gripper on a UR": (
        'driver = "xarm"\nmodel = "xarm7"\naddress = "127.0.0.11"\nemulated = true\nrole = "left"                # '
        "carries the dream's tool of this role\nposition = [-0.63, 0.0, 0.0]\nrpy_deg = [0.0, 0.0, 0.0]\n"
        "home_deg = [0.0, -46.0, 0.0, 64.0, 0.0, 110.0, 0.0]",
        'driver = "ur"\nmodel = "ur5"\naddress = "127.0.0.11"\nemulated = true\nrole = "left"\n'
        "position = [-0.63, 0.0, 0.0]\nrpy_deg = [0.0, 0.0, 0.0]\nhome_deg = [0, -90, 90, -90, -90, 0]\n"
        'gripper = "xarm"',
        "arms[0].gripper",
        "'xarm'",
        "drives none on an arm of driver ur",
    ),
    "a place to park with too few angles": (
        "command_rate_hz = 100",
        "park_deg = [0.0, -46.0]\ncommand_rate_hz = 100",
        "arms[0].park_deg",
        "2 angles",
        "7",
    ),
    "a tool in the hand that nobody has": (
        "\n[safety]",
        '\n[held]\ntool = "spoon"\n\n[safety]',
        "held.tool",
        "'spoon'",
        "brush, pusher",
    ),
    "a real arm in a simulated rig": ("emulated = true", "emulated = false", "arms[0].emulated", "false", "true"),
}


@pytest.mark.parametrize("what", sorted(BROKEN))
def test_a_mistake_is_told_with_file_line_field_value_and_what_is_valid(what: str, tmp_path: Path) -> None:
    must_be_told(TEXT, BROKEN[what], tmp_path)


def test_a_missing_field_names_the_line_of_its_table(tmp_path: Path) -> None:
    file = tmp_path / "rig.toml"
    text = TEXT.replace('role = "right"\n', "", 1)
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=rf"line {line_of(text, '[[arms]]', 2)}: arms\[1\]\.role: is missing"):
        load_rig(file)


def test_two_arms_of_one_name_are_told_apart_by_line(tmp_path: Path) -> None:
    file = tmp_path / "rig.toml"
    text = TEXT.replace('name = "right"', 'name = "left"')
    file.write_text(text, encoding="utf-8")
    second = line_of(text, 'name = "left"', 2)
    with pytest.raises(ValueError, match=rf"line {second}: arms\[1\]\.name: 'left'"):
        load_rig(file)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('name = "sim', 1),
        ('name = "sim"\nsimulated = yes\n', 2),
        ('name = "sim"\n\n[[arms]\nname = 3\n', 3),
        ('name = "sim"\nname = "sim"\n', 2),
        ('name = "sim"\n[table]\nsize = [1.8, 1.2\n', 3),
    ],
)
def test_a_mistake_of_toml_names_its_line_and_shows_it(text: str, line: int, tmp_path: Path) -> None:
    file = tmp_path / "rig.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=rf"rig\.toml: line {line}: .*valid: TOML"):
        load_rig(file)


def test_a_file_that_is_no_text_names_the_line_of_the_byte(tmp_path: Path) -> None:
    file = tmp_path / "rig.toml"
    file.write_bytes(b'name = "sim"\n# \xff\n')
    with pytest.raises(ValueError, match=r"line 2: byte 0xff; valid: text in UTF-8"):
        load_rig(file)


def test_every_model_has_a_driver_and_every_driver_a_known_model() -> None:
    assert sorted(model for models in DRIVER_MODELS.values() for model in models) == sorted(MODELS)


SIMULATED = sorted(name for name in built_in_rigs() if name.startswith("sim"))
WITH_ARMS = [name for name in SIMULATED if load_rig(name).arms]


@pytest.mark.parametrize("name", WITH_ARMS)
def test_a_built_in_rig_is_opened_by_its_name_and_keeps_clear_at_home(name: str) -> None:
    rig = load_rig(name)
    assert rig.name == name
    assert rig.simulated
    tools = {arm.name: load_tool(BUILT_IN_TOOLS[f"rotation_gripper_{arm.role}"]) for arm in rig.arms}
    distance, _ = CollisionModel(rig, tools).distance({arm.name: arm.home for arm in rig.arms})
    assert distance > 0.025


def test_the_cameras_of_all_built_in_rigs_with_arms_stand_alike() -> None:
    first, *others = ([c.camera for c in load_rig(name).cameras if not c.on_arm] for name in WITH_ARMS)
    for cameras in others:
        for a, b in zip(first, cameras, strict=True):
            np.testing.assert_array_equal(a.T_world_cam, b.T_world_cam)
