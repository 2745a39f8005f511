"""Which dropped file is what: fills the import form, decides nothing."""

from pathlib import Path

from app.dreams.import_files import CALIBRATION_NAMES, MESHES, PICTURES
from models.data.calibration_file import load_calibration
from widgets.values import DroppedDream


def recognise(paths: tuple[Path, ...]) -> DroppedDream:
    """Return what of a published dream is among these files and folders, or lies beside its video."""
    files = [file for path in paths for file in (sorted(path.iterdir()) if path.is_dir() else [path])]
    videos = [file for file in files if file.suffix.lower() == ".mp4"]
    if len(videos) == 1:
        files += [file for file in sorted(videos[0].parent.iterdir()) if file not in files]
    video = videos[0] if len(videos) == 1 else None
    calibration = next((f for name in CALIBRATION_NAMES for f in files if f.name.lower() == name), None)
    problem = f"{len(videos)} videos were dropped; choose one" if len(videos) > 1 else ""
    views, wrong = _views(calibration)
    return DroppedDream(
        video=str(video or ""),
        scenes=tuple(_scene(files, video, view) for view in views),
        calibration=str(calibration or ""),
        meshes=tuple((role, mesh) for role in ("left", "right") if (mesh := _mesh(files, role))),
        problem=problem or wrong,
    )


def _views(calibration: Path | None) -> tuple[tuple[str, ...], str]:
    """Names of the calibration's views, and what is wrong with it."""
    if calibration is None:
        return ("top", "side"), ""
    try:
        return tuple(camera.name for camera in load_calibration(calibration).cameras), ""
    except (ValueError, OSError) as error:
        return ("top", "side"), str(error)


def _scene(files: list[Path], video: Path | None, view: str) -> str:
    stems = (f"{video.stem}_{view}", view) if video else (view,)
    exact = (f for stem in stems for f in files if f.stem == stem and f.suffix.lower() in PICTURES)
    loose = (f for f in files if f.stem.endswith(f"_{view}") and f.suffix.lower() in PICTURES) if not video else ()
    return str(next(iter([*exact, *loose]), ""))


def _mesh(files: list[Path], role: str) -> str:
    found = (f for stem in (f"tool_{role}", role) for f in files if f.stem == stem and f.suffix.lower() in MESHES)
    return str(next(found, ""))
