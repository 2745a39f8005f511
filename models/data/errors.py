"""One kind of error for everything a person hands in: it names the file, the field and what would be valid."""

from pathlib import Path


class DreamFileError(ValueError):
    """A file cannot be used. `file`, `field` and `valid` are kept apart so that a page can show them."""

    def __init__(self, file: Path | str, field: str, problem: str, valid: str = "") -> None:
        self.file, self.field, self.problem, self.valid = str(file), field, problem, valid
        super().__init__(f"{file}: {field}: {problem}" + (f"; valid: {valid}" if valid else ""))

    def __reduce__(self) -> tuple[type, tuple[str, str, str, str]]:
        return (type(self), (self.file, self.field, self.problem, self.valid))
