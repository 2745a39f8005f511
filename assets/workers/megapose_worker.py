# /// script
# requires-python = "==3.9.*"
# dependencies = ["numpy", "pandas", "pillow", "torch==1.11.*", "megapose"]
# ///
"""MegaPose behind one JSON object a line: questions on stdin, answers on stdout, everything else on stderr.

Run by Dreamdeck with the interpreter of MegaPose's own environment; it imports nothing of Dreamdeck. megapose is
not on the package index: docs/other-trackers.md says how to get it. The environment holds MEGAPOSE_DATA_DIR.

    {"id": 1, "do": "hello"}                          {"id": 1, "protocol": 1, "python", "megapose", ...}
    {"id": 2, "do": "load", "folder"}                 {"id": 2, "labels": [...]}   meshes/ of a folder, the networks
    {"id": 3, "do": "estimate", "folder", "image"}    {"id": 3, "objects": [{"label", "TWO", "score"}, ...]}
    {"id": 4, "do": "refine", "folder", "image", "objects", "iterations"}          the same, from poses
    {"id": 4, "do": "cancel"}                         the question that runs ends with an error of kind "cancelled"
    {"id": 0, "do": "shutdown"}                       and the process ends; so it does at the end of its input

Folders are in MegaPose's published layout: camera_data.json, inputs/object_data.json (boxes), meshes/LABEL/ in
millimetres. Poses are [[qx, qy, qz, qw], [x, y, z]] in metres, object to camera; an estimate has one object per
box, in the boxes' order. A refusal is {"id", "error": {"kind", "message"}}; kinds: request, import, weights,
device, cancelled, failed.
"""

import json
import os
import platform
import queue
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

PROTOCOL = 1
MODEL = "megapose-1.0-RGB-multi-hypothesis"
WEIGHTS = ("coarse-rgb-906902141", "refiner-rgb-653307694")

Fields = dict[str, Any]


class Refusal(Exception):
    """A question that cannot be answered, and why."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class MegaPose:
    """The published API. Everything of it is imported when it is needed first: that takes many seconds."""

    def __init__(self) -> None:
        self._pipeline: Any = None
        self._parameters: Fields = {}

    def versions(self) -> Fields:
        """Return what is installed; raise Refusal where a part is missing."""
        try:
            import megapose
            import torch
        except ImportError as error:
            raise Refusal("import", f"{sys.executable}: {error}") from error
        if not torch.cuda.is_available():
            raise Refusal("device", f"torch {torch.__version__} sees no CUDA device; MegaPose needs one")
        return {
            "megapose": getattr(megapose, "__version__", "unknown"),
            "torch": torch.__version__,
            "device": torch.cuda.get_device_name(0),
        }

    def load(self, folder: Path) -> list[str]:
        """Load the meshes of a folder and both networks; return the labels."""
        self._check_weights()
        from megapose.datasets.object_dataset import RigidObject, RigidObjectDataset
        from megapose.utils.load_model import NAMED_MODELS, load_named_model

        meshes = {place.name: place / "mesh.obj" for place in sorted((folder / "meshes").iterdir())}
        objects = [RigidObject(label=name, mesh_path=mesh, mesh_units="mm") for name, mesh in meshes.items()]
        self._pipeline = load_named_model(MODEL, RigidObjectDataset(objects)).cuda()
        self._parameters = dict(NAMED_MODELS[MODEL]["inference_parameters"])
        return list(meshes)

    def estimate(self, folder: Path, image: str) -> list[Fields]:
        """Return the pose of every box of inputs/object_data.json, in its order."""
        from megapose.datasets.scene_dataset import ObjectData
        from megapose.inference.utils import make_detections_from_object_data

        rows = json.loads((folder / "inputs" / "object_data.json").read_text())
        detections = make_detections_from_object_data([ObjectData.from_json(row) for row in rows]).cuda()
        return self._run(folder, image, detections=detections)

    def refine(self, folder: Path, image: str, objects: list[Fields], iterations: int) -> list[Fields]:
        """Return the poses of objects, refined from where they are."""
        import numpy
        import pandas
        import torch
        from megapose.inference.types import PoseEstimatesType
        from megapose.lib3d.transform import Transform

        poses = numpy.stack([Transform(*_two(row)).matrix for row in objects])
        labels = [row["label"] for row in objects]
        infos = pandas.DataFrame({"label": labels, "batch_im_id": 0, "instance_id": range(len(labels))})
        start = PoseEstimatesType(infos, poses=torch.from_numpy(poses).float().cuda())
        return self._run(folder, image, coarse_estimates=start, n_refiner_iterations=iterations)

    def _run(self, folder: Path, image: str, **options: Any) -> list[Fields]:
        import numpy
        from megapose.inference.types import ObservationTensor
        from megapose.lib3d.transform import Transform
        from PIL import Image

        if self._pipeline is None:
            raise Refusal("request", "load comes before estimate and refine")
        camera = json.loads((folder / "camera_data.json").read_text())
        rgb = numpy.array(Image.open(folder / image).convert("RGB"), dtype=numpy.uint8)
        observation = ObservationTensor.from_numpy(rgb, None, numpy.array(camera["K"])).cuda()
        found, _ = self._pipeline.run_inference_pipeline(observation, **dict(self._parameters, **options))
        rows = []
        for i in range(len(found)):
            T = Transform(found.poses[i].cpu().numpy().astype(float))
            two = [T.quaternion.coeffs().tolist(), T.translation.tolist()]
            info = found.infos.iloc[i]
            rows.append((int(info["instance_id"]), str(info["label"]), two, float(info["pose_score"])))
        return [{"label": label, "TWO": two, "score": score} for _, label, two, score in sorted(rows)]

    def _check_weights(self) -> None:
        root = Path(os.environ.get("MEGAPOSE_DATA_DIR", "")) / "megapose-models"
        for name in WEIGHTS:
            for file in ("config.yaml", "checkpoint.pth.tar"):
                if not (root / name / file).is_file():
                    how = "python -m megapose.scripts.download --megapose_models"
                    raise Refusal("weights", f"{root / name / file} is missing; get it with: {how}")


def _two(row: Fields) -> Any:
    xyzw, position = row["TWO"]
    return tuple(xyzw), tuple(position)


class Server:
    """Answers questions in their order. A thread listens, so that a cancel is heard while a question runs."""

    def __init__(self, engine: Any, say: Callable[[str], None]) -> None:
        self._engine, self._say = engine, say
        self._questions: queue.Queue[Fields] = queue.Queue()
        self._cancelled = -1

    def listen(self, lines: Any) -> None:
        """Take questions in until the input ends; then the whole process group ends, whatever it is doing."""
        for line in lines:
            try:
                question = json.loads(line)
                number, what = int(question["id"]), str(question["do"])
            except (ValueError, TypeError, KeyError):
                self._tell({"id": 0, "error": {"kind": "request", "message": "not a question: " + repr(line[:80])}})
                continue
            if what == "cancel":
                self._cancelled = number
            else:
                self._questions.put(question)
                if what == "shutdown":
                    return
        end_group()

    def serve(self) -> None:
        """Answer until told to shut down."""
        while True:
            question = self._questions.get()
            if question["do"] == "shutdown":
                return
            self._tell(self._answer(question))

    def _answer(self, question: Fields) -> Fields:
        number = question["id"]
        try:
            answer = self._do(question)
            if self._cancelled == number:
                raise Refusal("cancelled", "cancelled")
        except Refusal as error:
            return {"id": number, "error": {"kind": error.kind, "message": str(error)}}
        except Exception as error:
            message = f"{type(error).__name__}: {error}"
            return {"id": number, "error": {"kind": "failed", "message": message}}
        return dict(answer, id=number)

    def _do(self, question: Fields) -> Fields:
        what, engine = question["do"], self._engine
        if what == "hello":
            return dict(engine.versions(), protocol=PROTOCOL, python=platform.python_version())
        if what not in ("load", "estimate", "refine"):
            raise Refusal("request", f"{what!r} is unknown; valid: hello, load, estimate, refine, cancel")
        folder = Path(question["folder"])
        if what == "load":
            return {"labels": engine.load(folder)}
        if what == "estimate":
            return {"objects": engine.estimate(folder, question["image"])}
        objects, iterations = question["objects"], int(question["iterations"])
        return {"objects": engine.refine(folder, question["image"], objects, iterations)}

    def _tell(self, answer: Fields) -> None:
        self._say(json.dumps(answer) + "\n")


def end_group() -> None:
    """End this process and the renderers that it started, where it leads a group of its own."""
    if os.getpgrp() == os.getpid():
        os.killpg(os.getpid(), signal.SIGTERM)
    os._exit(1)


def main(engine: Any) -> None:
    """Serve an engine on the real pipes; what libraries print goes to stderr."""
    answers = os.fdopen(os.dup(1), "w", buffering=1, encoding="utf-8")
    os.dup2(2, 1)

    def say(line: str) -> None:
        answers.write(line)
        answers.flush()

    server = Server(engine, say)
    threading.Thread(target=server.listen, args=(sys.stdin,), daemon=True).start()
    server.serve()


if __name__ == "__main__":
    main(MegaPose())
