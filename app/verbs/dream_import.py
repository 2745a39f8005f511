"""`dream import`: a published dream becomes a dream folder."""

import argparse
from pathlib import Path

from app.dreams.import_files import import_dream
from app.ledger import Ledger
from app.provenance import record_dream
from app.settings import ledger_file
from app.verbs.options import closing
from app.verbs.output import DONE, Output, Refused
from app.workspace import Workspace
from models.types import Dream


def add(inner: "argparse._SubParsersAction[argparse.ArgumentParser]", shared: argparse.ArgumentParser) -> None:
    """Add `import` to the verb `dream`."""
    p = inner.add_parser(
        "import",
        parents=[shared],
        help="make a dream folder from a published dream",
        description="Check every file of a dream in the published layout and write it as a dream folder, whole "
        "or not at all. A mesh is in metres with the default mount unless a .toml beside it says otherwise.",
    )
    p.add_argument("video", type=Path, metavar="VIDEO", help="mp4 of 25 pictures: view 1 t0..t12, view 2 t1..t12")
    p.add_argument(
        "--layout", choices=["dreamitate"], default="dreamitate", help="whose layout (default: %(default)s)"
    )
    p.add_argument(
        "--scene", nargs=2, type=Path, required=True, metavar=("VIEW1.png", "VIEW2.png"), help="photos before t0"
    )
    p.add_argument("--calibration", type=Path, required=True, metavar="FILE", help="TOML or JSON, see docs/cli.md")
    p.add_argument(
        "--tools", nargs="+", required=True, metavar="ROLE=MESH", help="left=MESH right=MESH, or one of them"
    )
    p.add_argument("--out", type=Path, required=True, metavar="DIR", help="the dream folder to make")
    p.add_argument("--fps", type=float, default=6.0, help="pictures a second of the clip (default: %(default)g)")
    p.add_argument("--name", default="", help="name of the dream (default: that of the video)")
    p.set_defaults(run=run)


def run(arguments: argparse.Namespace, workspace: Workspace, output: Output) -> int:
    tools = _tools(arguments.tools)
    first, second = arguments.scene
    dream = import_dream(
        arguments.video,
        (first, second),
        arguments.calibration,
        tools,
        arguments.out,
        fps=arguments.fps,
        name=arguments.name,
    )
    with closing(Ledger(ledger_file(workspace))) as ledger:
        dream_id = record_dream(ledger, dream, arguments.out.absolute())
    output.result(_values(dream, arguments.out, dream_id), _text(dream, arguments.out))
    return DONE


def _tools(words: list[str]) -> dict[str, Path]:
    tools: dict[str, Path] = {}
    for word in words:
        role, equals, mesh = word.partition("=")
        if not equals or not mesh:
            raise Refused(f"--tools: {word!r} is not ROLE=MESH; valid: left=MESH right=MESH")
        if role in tools:
            raise Refused(f"--tools: role {role!r} is given twice; valid: each role once")
        tools[role] = Path(mesh)
    return tools


def _values(dream: Dream, folder: Path, dream_id: str) -> dict[str, object]:
    return {
        "dream": dream.name,
        "folder": str(folder.absolute()),
        "id": dream_id,
        "frames": len(dream),
        "fps": dream.fps,
        "views": [{"name": view.name, "size": list(view.camera.size)} for view in dream.views],
        "tools": {role: tool.name for role, tool in dream.tools.items()},
        "placement": dream.placement,
    }


def _text(dream: Dream, folder: Path) -> list[str]:
    views = ", ".join(view.name for view in dream.views)
    lines = [f"dream {dream.name}: {len(dream)} frames at {dream.fps:g} fps, views {views}, in {folder}"]
    if dream.placement == "assumed":
        lines.append("where the cameras stand is assumed (no T_world_view1): its plans run on emulated arms only")
    return lines
