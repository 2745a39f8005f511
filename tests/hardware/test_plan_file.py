"""A plan file returns the plan bit for bit, or says in which file what is wrong."""

import json
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from hardware.plan_file import canonical_json, load_plan, plan_sha256, save_plan, sealed
from hardware.types import ArmLimits, ArmPlan, Check, Clamp, Phase, Plan

FLOATS = st.floats(allow_nan=True, allow_infinity=True, width=64)


def plan_of(q: np.ndarray, clip_frame: np.ndarray, speed_scale: float = 1.0) -> Plan:
    """A plan of one arm over q (N, 7)."""
    n = len(q)
    limits = ArmLimits(
        np.full(7, -6.0), np.full(7, 6.0), np.full(7, 3.0), np.full(7, np.inf), source={"tip": "rig"}
    )
    poses = np.broadcast_to(np.eye(4), (n, 4, 4)).copy()
    return Plan(
        t=np.arange(n) * 0.01,
        arms=(ArmPlan("left", "xarm7", "brush", q, poses, np.full((n, 4, 4), np.nan)),),
        phases=(Phase("approach", 0.0, 0.1),),
        clip_frame=clip_frame,
        speed_scale=speed_scale,
        limits={"left": limits},
        checks=(Check("tip speed", "ok", "0.1 of 0.25 m/s", "left", 0.1, 0.25, "m/s", ((0.0, 0.1),)),),
        clamps=(Clamp("left", (0.02, 0.03), 0.001, "raised to 5 mm"),),
        dream="dream",
        track_sha256="a" * 64,
        rig_sha256="b" * 64,
        emulated_only=True,
    )


def small_plan() -> Plan:
    return plan_of(np.random.default_rng(1).normal(size=(5, 7)), np.array([np.nan, 0, 0.5, 1, np.nan]))


@given(
    q=arrays(np.float64, (3, 7), elements=FLOATS),
    frame=arrays(np.float64, 3, elements=FLOATS),
    speed=st.floats(allow_nan=False),
)
def test_every_float_returns_from_the_file_bit_for_bit(
    tmp_path_factory: pytest.TempPathFactory, q: np.ndarray, frame: np.ndarray, speed: float
) -> None:
    path = tmp_path_factory.mktemp("plan") / "plan.json"
    saved = save_plan(plan_of(q, frame, speed), path)
    loaded = load_plan(path)
    np.testing.assert_array_equal(loaded.arms[0].q, q)
    assert np.array_equal(np.signbit(loaded.arms[0].q[q == 0]), np.signbit(q[q == 0]))
    np.testing.assert_array_equal(loaded.clip_frame, frame)
    assert canonical_json(loaded) == canonical_json(saved)
    assert loaded.sha256 == plan_sha256(saved)


def test_a_saved_plan_returns_whole(tmp_path: Path) -> None:
    saved = save_plan(small_plan(), tmp_path / "plan.json")
    loaded = load_plan(tmp_path / "plan.json")
    assert {f.name for f in fields(loaded)} == {f.name for f in fields(saved)}
    assert canonical_json(loaded) == canonical_json(saved)
    assert loaded.checks == saved.checks
    assert loaded.clamps == saved.clamps
    assert loaded.phases == saved.phases
    assert not list(tmp_path.glob("*.part"))


def test_the_sha256_covers_every_field_but_itself() -> None:
    plan = sealed(small_plan())
    assert plan_sha256(replace(plan, sha256="anything")) == plan.sha256
    q = plan.arms[0].q.copy()
    q[2, 3] = np.nextafter(q[2, 3], 9.0)
    changed: list[dict[str, object]] = [
        {"t": plan.t + 1e-12},
        {"arms": (replace(plan.arms[0], q=q),)},
        {"phases": ()},
        {"clip_frame": plan.clip_frame * 2},
        {"speed_scale": 0.5},
        {"limits": {"left": replace(plan.limits["left"], tip_speed=0.3)}},
        {"checks": ()},
        {"clamps": ()},
        {"dream": "another"},
        {"track_sha256": "c" * 64},
        {"rig_sha256": "c" * 64},
        {"emulated_only": False},
    ]
    assert {key for change in changed for key in change} == {f.name for f in fields(Plan)} - {"sha256"}
    for change in changed:
        assert plan_sha256(replace(plan, **change)) != plan.sha256, change  # type: ignore[arg-type]


def test_an_integer_and_its_float_are_one_plan(tmp_path: Path) -> None:
    save_plan(replace(small_plan(), speed_scale=1), tmp_path / "plan.json")
    assert load_plan(tmp_path / "plan.json").speed_scale == 1.0


def test_a_tampered_file_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    save_plan(small_plan(), path)
    values = json.loads(path.read_text())
    values["arms"][0]["q"][1][1] += 1e-9
    path.write_text(json.dumps(values))
    with pytest.raises(ValueError, match=r"plan\.json: sha256 .* changed after planning"):
        load_plan(path)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("not json", "not a plan file"),
        ("[]", "format"),
        ('{"format": "other"}', "format is 'other'"),
        ('{"format": "dreamdeck plan 1"}', "is missing"),
    ],
)
def test_a_file_that_is_no_plan_is_refused_by_name(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "plan.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=words) as refused:
        load_plan(path)
    assert str(path) in str(refused.value)


@pytest.mark.parametrize("field", [f.name for f in fields(Plan)])
def test_a_missing_or_malformed_field_is_named(tmp_path: Path, field: str) -> None:
    path = tmp_path / "plan.json"
    save_plan(small_plan(), path)
    values = json.loads(path.read_text())
    path.write_text(json.dumps({key: value for key, value in values.items() if key != field}))
    with pytest.raises(ValueError, match=f"{field} is missing"):
        load_plan(path)
    path.write_text(json.dumps({**values, field: {"bad": "value"}}))
    with pytest.raises(ValueError, match=r"plan\.json"):
        load_plan(path)


def test_giving_way_is_part_of_what_the_sha256_names_and_returns_from_the_file(tmp_path: Path) -> None:
    stiff = sealed(small_plan())
    giving = replace(stiff, limits={"left": replace(stiff.limits["left"], give_way_force=20.0)})
    saved = save_plan(giving, tmp_path / "plan.json")
    assert saved.sha256 != stiff.sha256
    assert load_plan(tmp_path / "plan.json").limits["left"].give_way_force == 20.0


def test_a_stiff_plan_is_written_as_before_there_were_others(tmp_path: Path) -> None:
    save_plan(small_plan(), tmp_path / "plan.json")
    assert "give_way" not in (tmp_path / "plan.json").read_text()
    assert load_plan(tmp_path / "plan.json").limits["left"].give_way_force == np.inf
