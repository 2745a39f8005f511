"""Frames, reports, shared joints: what goes in comes out, and nothing that comes in breaks the controller."""

import struct
import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardware.robots.emulator.config import EmulatorConfig
from hardware.robots.emulator.frames import (
    MAX_LENGTH,
    STATUS_INVALID,
    Frame,
    FrameError,
    decode,
    encode,
    encode_reply,
    floats,
    from_floats,
)
from hardware.robots.emulator.identity import answer, answers
from hardware.robots.emulator.joints_shm import create_joints, read_joints, write_joints
from hardware.robots.emulator.payloads import Session
from hardware.robots.emulator.registers import HANDLERS, reply_to
from hardware.robots.emulator.reports import SIZES, report
from hardware.robots.emulator.xarm_controller import XArmController
from hardware.robots.xarm_sdk import load_sdk

u16 = st.integers(0, 65535)
frames = st.builds(Frame, u16, u16, st.integers(0, 255), st.binary(max_size=MAX_LENGTH - 1))


@given(st.lists(frames, max_size=8), st.integers(1, 50))
def test_frames_survive_any_way_of_being_cut_up(sent: list[Frame], piece: int) -> None:
    stream = b"".join(encode(frame) for frame in sent)
    received, rest = [], b""
    for i in range(0, len(stream), piece):
        whole, rest = decode(rest + stream[i : i + piece])
        received += whole
    assert received == sent
    assert rest == b""


@given(st.binary(max_size=300))
def test_noise_is_frames_or_a_frame_error_and_never_lost_or_invented(noise: bytes) -> None:
    try:
        found, rest = decode(noise)
    except FrameError:
        return
    assert b"".join(encode(frame) for frame in found) + rest == noise


@given(frames.filter(lambda f: len(f.payload) < 900), st.integers(0, 255), st.binary(max_size=100))
def test_a_reply_echoes_its_request(request_frame: Frame, status: int, payload: bytes) -> None:
    (reply,), _ = decode(encode_reply(request_frame, status, payload))
    assert (reply.transaction, reply.protocol) == (request_frame.transaction, request_frame.protocol)
    assert reply.register == request_frame.register
    assert reply.payload == bytes([status]) + payload


@given(st.lists(st.floats(width=32, allow_nan=False), max_size=20))
def test_floats_survive(values: list[float]) -> None:
    assert floats(from_floats(values), len(values)) == values


def _session() -> Session:
    controller = XArmController(EmulatorConfig())
    controller.enable(True)
    controller.set_state(0)
    return Session(controller, lambda _: None, bytes(32))


wild = st.one_of(
    st.binary(max_size=120),
    st.lists(st.floats(width=32), max_size=16).map(from_floats),
    st.tuples(st.lists(st.floats(-3, 3, width=32), min_size=6, max_size=14), st.binary(max_size=4)).map(
        lambda t: from_floats(t[0]) + t[1]
    ),
)
requests = st.builds(
    Frame,
    u16,
    st.sampled_from([2, 3, 0, 7]),
    st.one_of(st.sampled_from(sorted(HANDLERS)), st.integers(0, 255)),
    wild,
)


@settings(max_examples=300, deadline=None)
@given(st.lists(requests, min_size=1, max_size=12))
def test_no_request_breaks_the_controller(sent: list[Frame]) -> None:
    session = _session()
    for frame in sent:
        (reply,), rest = decode(reply_to(session, frame))
        assert rest == b""
        assert (reply.transaction, reply.register) == (frame.transaction, frame.register)
        for _ in range(3):
            session.controller.step(0.004)
    for port, size in SIZES.items():
        assert len(report(port, session.controller)) == size
    assert np.isfinite(session.controller.plant.q).all()


@pytest.mark.parametrize("port", sorted(SIZES))
def test_the_vendors_own_structure_reads_our_reports(port: int) -> None:
    load_sdk()
    from xarm.x3.report import ReportDataStructure

    c = _session().controller
    c.set_mode(1)
    c.set_tool([1.0, 2.0, 100.0, 0.0, 0.1, 0.0])
    c.settings.load = [0.5, 0.0, 0.0, 40.0]
    c.settings.reduced_on, c.settings.fence_on = True, True
    c.settings.boundary = [700, -100, 300, -200, 400, 5]
    c.fail(31)
    c.warning = 11
    read = ReportDataStructure.create(port, is_radian=True)
    read.update(report(port, c))
    assert (read.data_size, read.state, read.mode) == (SIZES[port], 4, 1)
    np.testing.assert_allclose(read.actual_joint_angle, c.plant.q, atol=1e-6)
    np.testing.assert_allclose(read.actual_tcp_pose, c.pose, atol=1e-4)
    if port != 30003:
        assert (read.error_code, read.warn_code, read.motor_enable_status) == (31, 11, 0x7F)
        np.testing.assert_allclose(read.tcp_offset, c.settings.tcp_offset, atol=1e-6)
        np.testing.assert_allclose(read.tcp_payload, c.settings.load, atol=1e-6)
        assert read.collision_sens == 3
    if port == 30002:
        assert (read.robot_axis, read.version) == (7, "v2.5.0")
        np.testing.assert_allclose(read.joint_max_speed, np.pi, atol=1e-6)
        assert read.reduced_tcp_boundary == [[-100, 700], [-200, 300], [5, 400]]
        assert read.is_reduced_mode
        assert read.is_fence_mode
        np.testing.assert_allclose(np.ravel(read.reduced_joint_limits), c.settings.reduced_ranges, atol=1e-6)


def test_an_unknown_register_is_said_to_be_invalid() -> None:
    (reply,), _ = decode(reply_to(_session(), Frame(1, 2, 250)))
    assert reply.payload[0] & STATUS_INVALID


def test_standard_modbus_is_refused_as_an_illegal_function() -> None:
    reply = reply_to(_session(), Frame(9, 0, 1, struct.pack(">BHH", 3, 0, 1)))
    assert reply == struct.pack(">HHHBBB", 9, 0, 3, 1, 0x83, 1)


def test_a_challenge_is_answered_with_the_right_nonce_only() -> None:
    assert answers(b"secret", b"challenge", answer(b"secret", b"challenge"))
    assert not answers(b"secret", b"challenge", answer(b"other", b"challenge"))
    assert not answers(b"secret", b"challenge", b"")
    silent = Session(XArmController(EmulatorConfig()), lambda _: None)
    (reply,), _ = decode(reply_to(silent, Frame(1, 2, 224, b"x" * 32)))
    assert reply.payload[0] & STATUS_INVALID


def test_shared_joints_are_never_read_half_written() -> None:
    shm = create_joints()
    stop = threading.Event()

    def write() -> None:
        k = 0
        while not stop.is_set():
            k += 1
            write_joints(shm, float(k), np.full(7, float(k)), np.full(7, -float(k)))

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(2000):
            sample = read_joints(shm)
            assert (sample.q == sample.t_host).all()
            assert (sample.dq == -sample.t_host).all()
    finally:
        stop.set()
        writer.join()
        shm.close()
        shm.unlink()


def test_joints_whose_writer_died_half_way_are_an_error() -> None:
    shm = create_joints()
    try:
        np.ndarray(1, np.uint64, shm.buf)[0] = 1
        with pytest.raises(TimeoutError):
            read_joints(shm, timeout=0.01)
    finally:
        shm.close()
        shm.unlink()
