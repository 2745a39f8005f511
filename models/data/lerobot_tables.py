"""Parquet files of others: read whole or by row group, within limits; whatever is wrong is one clear error."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from models.data.errors import DreamFileError
from models.data.exchange import guarded

MAX_TABLE_BYTES = 2**30
MAX_TABLE_ROWS = 20_000_000


def read_table_file(path: Path, columns: Callable[[Sequence[str]], Sequence[str]] | None = None) -> pa.Table:
    """Return a parquet file. columns: chooses among the top-level names. Raises DreamFileError."""

    def read() -> pa.Table:
        with pq.ParquetFile(path) as file:
            names = file.schema_arrow.names
            chosen = list(columns(names)) if columns else names
            _check(path, file.metadata, set(chosen))
            return file.read(columns=chosen, use_threads=False)

    return guarded(path, read)


def read_group(path: Path, group: int) -> pa.Table:
    """Return one row group of a parquet file. Raises DreamFileError."""

    def read() -> pa.Table:
        with pq.ParquetFile(path) as file:
            _check(path, file.metadata, set(file.schema_arrow.names))
            if not 0 <= group < file.num_row_groups:
                raise DreamFileError(path, "row group", str(group), f"0 to {file.num_row_groups - 1}")
            return file.read_row_group(group, use_threads=False)

    return guarded(path, read)


def _check(path: Path, metadata: pq.FileMetaData, chosen: set[str]) -> None:
    size = rows = 0
    for k in range(metadata.num_row_groups):
        group = metadata.row_group(k)
        rows += group.num_rows
        for c in range(group.num_columns):
            column = group.column(c)
            if column.path_in_schema.split(".")[0] in chosen or column.path_in_schema in chosen:
                size += column.total_uncompressed_size
    if not 0 <= size <= MAX_TABLE_BYTES or not 0 <= rows <= MAX_TABLE_ROWS:
        raise DreamFileError(path, "size", f"{size} bytes in {rows} rows",
                             f"at most {MAX_TABLE_BYTES} bytes in {MAX_TABLE_ROWS} rows")  # fmt: skip


class TableCache:
    """The last few files that were read: the episodes of one file are asked for one after the other."""

    def __init__(self, length: int = 2) -> None:
        self._length, self._lock = length, threading.Lock()
        self._tables: OrderedDict[Path, pa.Table] = OrderedDict()

    def get(self, path: Path) -> pa.Table:
        with self._lock:
            table = self._tables.pop(path, None)
            if table is None:
                table = read_table_file(path)
            self._tables[path] = table
            while len(self._tables) > self._length:
                self._tables.popitem(last=False)
            return table
