"""Samples as messages: topics, well-known schemas, and times as the log keeps them (docs/recording.md)."""

import json
from collections.abc import Mapping

import numpy as np
from foxglove_schemas_protobuf.CameraCalibration_pb2 import CameraCalibration
from foxglove_schemas_protobuf.CompressedVideo_pb2 import CompressedVideo
from foxglove_schemas_protobuf.FrameTransform_pb2 import FrameTransform
from foxglove_schemas_protobuf.JointState_pb2 import JointState
from foxglove_schemas_protobuf.JointStates_pb2 import JointStates
from foxglove_schemas_protobuf.PoseInFrame_pb2 import PoseInFrame
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from scipy.spatial.transform import Rotation

from hardware.geometry import Array, transform
from hardware.stream import ArmSample, Pose, StreamInfo
from hardware.types import Camera

VIDEO, CALIBRATION, PICTURE_STATE = "/camera/{}/video", "/camera/{}/calibration", "/camera/{}/state"
POSE, POSE_STATE, READING = "/pose/{}", "/pose/{}/state", "/reading/{}"
ARM_JOINTS, ARM_COMMANDED = "/arm/{}/joints", "/arm/{}/commanded"
ARM_TOOL, ARM_STATE = "/arm/{}/tool", "/arm/{}/state"
VALUES = "/values/{}"
TRANSFORMS, FLAWS = "/tf", "/flaws"
WORLD = "world"

_NUMBER, _FLAG, _TEXT = {"type": "number"}, {"type": "boolean"}, {"type": "string"}


def _object(**properties: object) -> dict[str, object]:
    return {"type": "object", "properties": properties}


# where no well-known schema fits: JSON that any viewer can plot
JSON_SCHEMAS: Mapping[str, dict[str, object]] = {
    "dreamdeck.Reading": _object(value=_NUMBER, valid=_FLAG),
    "dreamdeck.PoseState": _object(confidence={"type": "integer"}, relocalised=_FLAG),
    "dreamdeck.ArmState": _object(mode=_TEXT, opening=_NUMBER),
    "dreamdeck.Values": _object(values={"type": "array", "items": {"type": ["number", "null"]}}),
    "dreamdeck.PictureState": _object(
        sharpness=_NUMBER, brightness=_NUMBER, dark=_NUMBER, bright=_NUMBER, exposure_s=_NUMBER
    ),
    "dreamdeck.Flaw": _object(stream=_TEXT, kind=_TEXT, count={"type": "integer"}, seconds=_NUMBER, text=_TEXT),
}
PROTOBUF: Mapping[str, type[Message]] = {
    "foxglove.CompressedVideo": CompressedVideo,
    "foxglove.CameraCalibration": CameraCalibration,
    "foxglove.FrameTransform": FrameTransform,
    "foxglove.PoseInFrame": PoseInFrame,
    "foxglove.JointStates": JointStates,
}


def nanoseconds(seconds: float) -> int:
    return round(seconds * 1e9)


def timestamp(nanos: int) -> Timestamp:
    return Timestamp(seconds=nanos // 1_000_000_000, nanos=nanos % 1_000_000_000)


def channels(streams: tuple[StreamInfo, ...]) -> dict[str, str]:
    """Return topic -> schema of an episode of these streams."""
    found: dict[str, str] = {}
    for stream in streams:
        if stream.kind == "camera":
            found[VIDEO.format(stream.name)] = "foxglove.CompressedVideo"
            found[PICTURE_STATE.format(stream.name)] = "dreamdeck.PictureState"
            if stream.camera is not None:
                found[CALIBRATION.format(stream.name)] = "foxglove.CameraCalibration"
        elif stream.kind == "pose":
            found[POSE.format(stream.name)] = "foxglove.PoseInFrame"
            found[POSE_STATE.format(stream.name)] = "dreamdeck.PoseState"
        elif stream.kind == "arm":
            found[ARM_JOINTS.format(stream.name)] = "foxglove.JointStates"
            found[ARM_COMMANDED.format(stream.name)] = "foxglove.JointStates"
            found[ARM_TOOL.format(stream.name)] = "foxglove.PoseInFrame"
            found[ARM_STATE.format(stream.name)] = "dreamdeck.ArmState"
        else:
            found[READING.format(stream.name)] = "dreamdeck.Reading"
    return {**found, TRANSFORMS: "foxglove.FrameTransform", FLAWS: "dreamdeck.Flaw"}


def to_json(values: Mapping[str, object]) -> bytes:
    return json.dumps(values, separators=(",", ":"), allow_nan=False).encode()


def video_message(stream: str, data: bytes, time: Timestamp) -> bytes:
    return bytes(CompressedVideo(timestamp=time, frame_id=stream, data=data, format="h264").SerializeToString())


def calibration_message(camera: Camera, stream: str, time: Timestamp) -> bytes:
    D = camera.distortion.ravel().tolist()
    known = "plumb_bob" if len(D) <= 5 else "rational_polynomial"
    P = np.hstack([camera.K, np.zeros((3, 1))])
    message = CameraCalibration(
        timestamp=time,
        frame_id=stream,
        width=camera.size[0],
        height=camera.size[1],
        distortion_model="kannala_brandt" if camera.model == "fisheye" else known,
        D=D,
        K=camera.K.ravel().tolist(),
        R=np.eye(3).ravel().tolist(),
        P=P.ravel().tolist(),
    )
    return bytes(message.SerializeToString())


def read_calibration(data: bytes, T_world_cam: Array | None) -> Camera:
    """Raises ValueError, DecodeError."""
    message = CameraCalibration.FromString(data)
    return Camera(
        message.frame_id,
        np.array(message.K, float).reshape(3, 3),
        (message.width, message.height),
        np.array(message.D, float),
        "fisheye" if message.distortion_model == "kannala_brandt" else "pinhole",
        T_world_cam,
    )


def transform_message(child: str, T_world_child: Array, time: Timestamp) -> bytes:
    message = FrameTransform(timestamp=time, parent_frame_id=WORLD, child_frame_id=child)
    _fill(message.translation, message.rotation, T_world_child)
    return bytes(message.SerializeToString())


def read_transform(data: bytes) -> tuple[str, Array]:
    message = FrameTransform.FromString(data)
    return message.child_frame_id, _read(message.translation, message.rotation)


def pose_message(pose: Pose, time: Timestamp) -> bytes:
    message = PoseInFrame(timestamp=time, frame_id=f"{pose.stream} reference")
    _fill(message.pose.position, message.pose.orientation, pose.T_ref_sensor)
    return bytes(message.SerializeToString())


def read_pose(data: bytes) -> Array:
    message = PoseInFrame.FromString(data)
    return _read(message.pose.position, message.pose.orientation)


def joints_message(q: Array, dq: Array | None, time: Timestamp) -> bytes:
    """q (J,) [rad]; dq (J,) [rad/s], None: not known."""
    speeds = [None] * len(q) if dq is None else dq.tolist()
    joints = [
        JointState(name=f"joint{k}", position=position, velocity=velocity)
        for k, (position, velocity) in enumerate(zip(q.tolist(), speeds, strict=True), 1)
    ]
    return bytes(JointStates(timestamp=time, joints=joints).SerializeToString())


def read_joints(data: bytes) -> tuple[Array, Array]:
    """Return q (J,) [rad] and dq (J,) [rad/s], 0 where it is not known. Raises DecodeError."""
    joints = JointStates.FromString(data).joints
    return np.array([j.position for j in joints], float), np.array([j.velocity for j in joints], float)


def tool_message(sample: ArmSample, time: Timestamp) -> bytes:
    message = PoseInFrame(timestamp=time, frame_id=WORLD)
    _fill(message.pose.position, message.pose.orientation, sample.T_world_tool)
    return bytes(message.SerializeToString())


def _fill(position: object, orientation: object, T: Array) -> None:
    quaternion = Rotation.from_matrix(T[:3, :3]).as_quat()
    for axis, value in zip("xyz", T[:3, 3], strict=True):
        setattr(position, axis, float(value))
    for axis, value in zip("xyzw", quaternion, strict=True):
        setattr(orientation, axis, float(value))


def _read(position: object, orientation: object) -> Array:
    quaternion = [getattr(orientation, axis) for axis in "xyzw"]
    return transform(
        Rotation.from_quat(quaternion).as_matrix(), np.array([getattr(position, axis) for axis in "xyz"])
    )
