"""`model import|export`: video models from and to the checkpoints of their authors."""

import argparse
from pathlib import Path

from app.verbs.options import Verb, writable
from app.verbs.output import DONE, Output, Refused
from app.workspace import Workspace

# written out here, so that the command line need not load what reads them
LAYOUTS = ("sgm-dreamitate", "sgm-videopolicy")


def add(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]", shared: argparse.ArgumentParser) -> None:
    """Add the verb to the command line."""
    top = verbs.add_parser(
        "model",
        parents=[shared],
        help="import and export video models",
        description="Bring a checkpoint of the papers' authors into a model folder, or back.",
    )
    inner = top.add_subparsers(metavar="WHAT", required=True)
    p = inner.add_parser(
        "import",
        parents=[shared],
        help="read an authors' checkpoint into a model folder",
        description="Write a checkpoint with the names of Stability's sgm code as a model folder. A file that "
        "wants anything run is refused; weights that do not fit are listed.",
    )
    p.add_argument("checkpoint", type=Path, metavar="CKPT", help=".safetensors, or a .ckpt of tensors alone")
    p.add_argument("--layout", choices=LAYOUTS, required=True, help="whose views and frames it makes")
    p.add_argument("--out", type=Path, required=True, metavar="DIR", help="a folder that is not there yet")
    p.add_argument("--ema", action="store_true", help="take the averaged weights instead of the last ones")
    p.add_argument(
        "--head-channels",
        type=int,
        default=64,
        metavar="N",
        help="num_head_channels of the network's configuration, which no weight tells (default: 64, as published)",
    )
    p.add_argument(
        "--base",
        default="",
        metavar="DIR|NAME",
        help="model folder, or Stable Video Diffusion as a directory or hub name; it gives what is missing",
    )
    p.add_argument(
        "--tokenizer",
        default="",
        metavar="DIR|NAME",
        help="CLIP's tokenizer as a folder or hub name, for a model that is conditioned on text",
    )
    p.set_defaults(run=_import)
    p = inner.add_parser(
        "export",
        parents=[shared],
        help="write a model folder as an authors' checkpoint, or smaller",
        description="Write a model folder as one .safetensors file with the names of Stability's sgm code, or as "
        "a folder again, with weights in float16 and nothing of its training.",
    )
    p.add_argument("model", type=Path, metavar="DIR", help="a model folder")
    p.add_argument(
        "--layout", choices=("sgm", "half"), default="sgm", help="the authors' names, or a folder (default: sgm)"
    )
    p.add_argument(
        "--out", type=Path, required=True, metavar="FILE|DIR", help="a .safetensors file; a folder for half"
    )
    p.set_defaults(run=_export)


def _import(arguments: argparse.Namespace, _workspace: Workspace, output: Output) -> int:
    # torch takes seconds to load and is not part of every installation: only where it is used
    try:
        from models.video.import_sgm import ImportOptions, import_checkpoint
    except ModuleNotFoundError as error:
        raise _no_torch(error) from error
    options = ImportOptions(arguments.ema, arguments.head_channels, arguments.base, arguments.tokenizer)
    done = import_checkpoint(arguments.checkpoint, arguments.layout, arguments.out, options, output.progress)
    config = done.config
    values = {
        "out": str(arguments.out),
        "views": config.views,
        "frames": len(config.layout),
        "size": list(config.size),
        "conditioning": config.conditioning,
        "left_out": dict(done.left_out),
        "from_base": list(done.from_base),
        "tokenizer": not done.wordless,
    }
    width, height = config.size
    text = [
        f"{arguments.out}: {config.views} views, {len(config.layout)} frames of {width}x{height}, "
        f"conditioned on {config.conditioning}",
        *(f"  left out: {part} ({count} weights)" for part, count in done.left_out.items()),
        *(f"  taken from {arguments.base}: {part}" for part in done.from_base),
        *(
            ["  it has no tokenizer: import it with --tokenizer, or put one into its folder"]
            if done.wordless
            else []
        ),
    ]
    output.result(values, text)
    return DONE


def _export(arguments: argparse.Namespace, _workspace: Workspace, output: Output) -> int:
    try:
        from models.video.export_half import export_half
        from models.video.export_sgm import export_checkpoint
    except ModuleNotFoundError as error:
        raise _no_torch(error) from error
    output.progress("writing the checkpoint")
    if arguments.layout == "half":
        export_half(arguments.model, arguments.out)
        size = sum(file.stat().st_size for file in arguments.out.rglob("*") if file.is_file())
        output.result({"out": str(arguments.out), "bytes": size}, [f"{arguments.out}: {size / 1e6:.1f} MB"])
        return DONE
    writable(arguments.out, "--out")
    count = export_checkpoint(arguments.model, arguments.out)
    output.result({"out": str(arguments.out), "weights": count}, [f"{arguments.out}: {count} weights"])
    return DONE


def _no_torch(error: ModuleNotFoundError) -> Refused:
    return Refused(f"video models need {error.name}: pip install 'dreamdeck[video]'")


VERB: Verb = add
