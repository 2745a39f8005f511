"""`calibration list|import|export|board`: what is kept of a rig's cameras, other programs' files, boards to
print."""

import argparse
import datetime
from dataclasses import replace
from pathlib import Path

from app.calibration.calibrated_rig import EXTRINSICS, with_calibrations
from app.calibration.formats import WRITERS, kalibr_text, read_cameras
from app.calibration.store import Calibration, CalibrationStore, changes
from app.verbs.options import Verb, add_rig, read_rig, writable
from app.verbs.output import DONE, Output, Refused
from app.workspace import Workspace
from hardware.calibration.board import BOARDS
from hardware.calibration.board_pdf import SHEETS, board_pdf
from hardware.geometry import inverse
from hardware.rig import Rig
from hardware.whole_file import write_whole

FORMATS = (*WRITERS, "kalibr")


def add(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]", shared: argparse.ArgumentParser) -> None:
    """Add the verb to the command line."""
    top = verbs.add_parser(
        "calibration",
        help="calibrations of a rig: list, import, export, print a board",
        description="What is kept of a rig's cameras. Calibrating itself is done on page Rig of the window.",
    )
    inner = top.add_subparsers(dest="what", required=True, metavar="list|import|export|board")
    p = inner.add_parser("list", parents=[shared], help="what is kept, what is in use, what moved",
                         description="List every calibration of a rig, the newest first.")  # fmt: skip
    add_rig(p)
    p.set_defaults(run=_list)
    p = inner.add_parser("import", parents=[shared], help="read a file of another program",
                         description="Keep the cameras of a ROS camera_info, OpenCV YAML or Kalibr camchain whose "
                         "names are the rig's.")  # fmt: skip
    p.add_argument("file", type=Path, metavar="FILE", help="the file to read")
    p.add_argument("--camera", metavar="NAME", help="the rig's camera, where a file of one camera has another name")
    add_rig(p)
    p.set_defaults(run=_import)
    p = inner.add_parser("export", parents=[shared], help="write the cameras for another program",
                         description="Write the rig's cameras as they are calibrated: a file for each camera into "
                         "a folder, or one camchain.")  # fmt: skip
    p.add_argument("out", type=Path, metavar="OUT", help="a folder; with --format kalibr a file")
    p.add_argument("--format", choices=FORMATS, default="ros", help="(default: ros)")
    add_rig(p)
    p.set_defaults(run=_export)
    p = inner.add_parser("board", parents=[shared], help="write a board to print, at true scale",
                         description="Write a PDF of a board, with a ruler to check the print.")  # fmt: skip
    p.add_argument("board", choices=sorted(BOARDS), help="size of the board")
    p.add_argument("--sheet", choices=sorted(SHEETS), help="paper (default: the board's own)")
    p.add_argument("--out", type=Path, required=True, metavar="FILE.pdf", help="where to write it")
    p.set_defaults(run=_board)


def _list(arguments: argparse.Namespace, workspace: Workspace, output: Output) -> int:
    rig = read_rig(arguments.rig)
    store = CalibrationStore(workspace.root, rig.name)
    found, wrong = store.all()
    used = {id for ids in with_calibrations(rig, store).used.values() for id in ids}
    rows, lines = [], []
    for k, one in enumerate(found):
        before = next((b for b in found[k + 1 :] if (b.kind, b.subject) == (one.kind, one.subject)), None)
        moved = [] if before is None else [m.words for m in changes(before, one)]
        rows.append({"id": one.id, "kind": one.kind, "subject": one.subject, "verdict": one.verdict,
                     "words": one.words, "in_use": one.id in used, "moved": moved})  # fmt: skip
        lines += [f"{'*' if one.id in used else ' '} {one.id}: {one.words}", *(f"      {words}" for words in moved)]
    head = f"{len(found)} of rig {rig.name} in {store.folder}" + ("; * in use" if used else "")
    output.result({"calibrations": rows, "problems": wrong}, [head, *lines, *wrong])
    return DONE


def _import(arguments: argparse.Namespace, workspace: Workspace, output: Output) -> int:
    rig = read_rig(arguments.rig)
    read = read_cameras(arguments.file)
    names = [config.camera.name for config in rig.cameras]
    cameras = read.cameras
    if arguments.camera is not None:
        if len(cameras) != 1:
            raise Refused(f"--camera: {arguments.file} has {len(cameras)} cameras; valid: a file of one")
        cameras = (replace(cameras[0], name=arguments.camera),)
    unknown = [camera.name for camera in cameras if camera.name not in names]
    if unknown:
        what = f"camera {unknown[0]!r} is not one of rig {rig.name}; valid: {', '.join(names)}"
        raise Refused(f"{arguments.file}: {what} (--camera NAME for a file of one camera)")
    store, made = CalibrationStore(workspace.root, rig.name), datetime.datetime.now(datetime.UTC)
    words = f"Imported from {arguments.file.name}."
    kept = [
        store.save(Calibration("intrinsics", rig.name, camera.name, made, "imported", words, (camera,)))
        for camera in cameras
    ]
    if read.T_view1_cam:
        poses = {f"T_view1_{name}": T for name, T in read.T_view1_cam.items()}
        kept.append(
            store.save(Calibration("extrinsics", rig.name, EXTRINSICS, made, "imported", words, poses=poses))
        )
    problems = with_calibrations(rig, store).problems
    output.result(
        {"kept": [one.id for one in kept], "problems": problems}, [*(f"kept {one.id}" for one in kept), *problems]
    )
    return DONE


def _export(arguments: argparse.Namespace, workspace: Workspace, output: Output) -> int:
    rig = _calibrated(read_rig(arguments.rig), workspace)
    cameras = [config.camera for config in rig.cameras]
    if arguments.format == "kalibr":
        out = writable(arguments.out, "OUT")
        write_whole(out, _chain(rig))
        files = [out]
    else:
        arguments.out.mkdir(parents=True, exist_ok=True)
        files = [arguments.out / f"{camera.name}.yaml" for camera in cameras]
        for file, camera in zip(files, cameras, strict=True):
            write_whole(file, WRITERS[arguments.format](camera))
    output.result({"files": [str(file) for file in files]}, [f"wrote {file}" for file in files])
    return DONE


def _calibrated(rig: Rig, workspace: Workspace) -> Rig:
    return with_calibrations(rig, CalibrationStore(workspace.root, rig.name)).rig


def _chain(rig: Rig) -> str:
    cameras = [config.camera for config in rig.cameras]
    first = cameras[0].T_world_cam
    places = {} if first is None else {
        camera.name: inverse(first) @ camera.T_world_cam for camera in cameras if camera.T_world_cam is not None
    }  # fmt: skip
    try:
        return kalibr_text(cameras, places)
    except ValueError as error:
        raise Refused(str(error)) from error


def _board(arguments: argparse.Namespace, workspace: Workspace, output: Output) -> int:
    board, out = BOARDS[arguments.board], writable(arguments.out, "--out")
    write_whole(out, board_pdf(board, arguments.sheet or board.name))
    todo = "print at 100%; the ruler on the sheet must measure 100.0 mm"
    output.result({"file": str(out), "board": board.words}, [f"wrote {out}: {board.words}", todo])
    return DONE


VERB: Verb = add
