"""One append-only Delta table with batch ids, a quarantine beside it, and a manifest that proves it whole."""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from urllib.parse import unquote
from uuid import uuid4

import pyarrow as pa
import pyarrow.dataset as ds
from deltalake import CommitProperties, DeltaTable, Transaction, write_deltalake
from deltalake.exceptions import DeltaError, TableNotFoundError
from filelock import FileLock, Timeout

from modelops_jupyter.disk_space import LEAST_ROOM, check_room, is_full, no_room, room
from modelops_jupyter.errors import (
    Conflict,
    InvalidInput,
    LogDamaged,
    StoreBusy,
    StoreFull,
    WorkspaceReadOnly,
)
from modelops_jupyter.log.checksums import add_checksums
from modelops_jupyter.log.column_types import check_names
from modelops_jupyter.log.content import digest
from modelops_jupyter.log.exact_numbers import split
from modelops_jupyter.log.quarantine import PutAside, put_aside
from modelops_jupyter.log.repair import make_readable, unreadable_columns
from modelops_jupyter.log.schema import Misfit, first_columns, fit, normalise, plain
from modelops_jupyter.log.table_files import (
    ALWAYS,
    COARSE,
    Span,
    added_by,
    count_rows,
    file_actions,
    file_paths,
    file_spans,
)

BUSY_SECONDS = 30.0
AGAIN = (
    "The same requests were there already, and of each what was logged first counts: with a batch id they are not "
    "written twice."
)
# A year of daily batches is opened in 3 ms in place of 20, and a batch appended in half the time: files are chosen by
# time alone, so that no other column's extremes belong into the table's log.
_CONFIGURATION = {"delta.checkpointInterval": "10"}
_INDEXED = ("timestamp", "event_time")


@dataclass(frozen=True)
class Appended:
    """What an append did: `repeated` means the batch was there already; `warning` is what to look at, if anything."""

    rows: int
    batch_id: str
    repeated: bool = False
    warning: str | None = None

    def to_dict(self) -> dict[str, object]:
        """Return the fields as plain data."""
        return asdict(self)

    def __str__(self) -> str:
        if not self.rows:
            return f"Nothing was appended.{f' {self.warning}' if self.warning else ''}"
        done = "was there already; nothing was written" if self.repeated else f"appended, {self.rows} rows"
        return f"Batch {self.batch_id} {done}.{f' {self.warning}' if self.warning else ''}"


class BatchTable:
    """A Delta table under `path`; writers take turns through a file lock."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def pinned(self) -> BatchTable:
        """Return the table as it is now: opened and verified once, whatever is appended meanwhile."""
        return _Pinned(self.path)

    def append(
        self,
        rows: pa.Table,
        batch_id: str | None,
        *,
        own: Collection[str],
        same: Sequence[str],
        required: Collection[str],
        series: str = "",
    ) -> Appended:
        """Append `rows`, which are in the log's types, once per `batch_id`.

        Parameters
        ----------
        own
            The log's own columns.
        same
            Columns that tell a batch that is sent again from another one.
        required
            Columns that `rows` must have if the table has them; others may come and go from batch to batch.
        series
            What else tells a batch from another one of the same rows and the same name; it is no part of the rows.

        Raises
        ------
        InvalidFrame
            If a required column is missing, or one has values of another type than the table's; the rows are then kept
            in the quarantine beside it.
        Conflict
            If `batch_id` stands for other rows already.
        LogDamaged, StoreFull, StoreBusy
            If the table cannot be read or written; nothing is written then.
        InvalidInput
            If its folder has a name that Delta takes for another's.
        """
        folder = str(self.path.absolute())
        if unquote(folder) != folder:
            raise InvalidInput(
                f"No log can be kept in {folder}: Delta takes it for {unquote(folder)}. Rename the folder whose name "
                "has a % in it."
            )
        batch = batch_id or uuid4().hex
        scope = f" {series}" if series else ""
        check_room(self.path, rows.nbytes)  # before Delta writes a part of it
        held = digest(rows.select(list(same)))
        content = 1 if batch_id is None else held  # Delta keeps a number per batch id
        name, same_rows, again = batch + scope, Transaction(f"rows-{held}{scope}", 1), False
        with self._turn():
            table = self.open()
            before = 0 if table is None else self._whole(table)
            if table is not None:
                known = table.transaction_version(name)
                if known is not None:
                    if known != content:
                        raise Conflict(
                            f"Batch {batch!r} is in {self.path} with other rows: send these under another batch id."
                        )
                    self._catch_up(before)
                    self._add_checksums()
                    return Appended(rows.num_rows, batch, repeated=True)
                again = table.transaction_version(same_rows.app_id) is not None
                table = self._readable(table, before)
                rows = self._fitted(rows, table, batch, own, required)
            else:
                rows = split(first_columns(rows, own), {}, own)
            with self.guarded(), self._noted(before + rows.num_rows):
                table = self._retyped(table, rows.schema)
                write_deltalake(
                    table if table is not None else str(self.path),
                    rows,
                    mode="append",
                    schema_mode="merge",
                    configuration=_configuration(rows.schema) if table is None else None,
                    commit_properties=CommitProperties(app_transactions=[Transaction(name, content), same_rows]),
                )
            self._add_checksums()
        return Appended(rows.num_rows, batch, warning=AGAIN if again else None)

    def _fitted(
        self,
        rows: pa.Table,
        table: DeltaTable,
        batch: str,
        own: Collection[str],
        required: Collection[str],
    ) -> pa.Table:
        """Return rows as the table takes them; put those that do not fit into the quarantine, and say so."""
        known = pa.schema(table.schema().to_arrow())
        check_names((name for name in rows.column_names if name not in known.names), known.names)

        def is_whole(column: str) -> bool:
            try:
                self.scan(self.all_files(table), [column], table=table)[column].cast(pa.int64())
            except pa.ArrowInvalid:
                return False
            return True

        try:
            return fit(rows, known, own, required, is_whole)
        except Misfit as reason:
            with self.guarded():
                file = put_aside(rows, self.path, batch, str(reason))
            raise PutAside(
                f"Batch {batch!r} does not fit the log: {reason}. Its {rows.num_rows} rows are kept in {file}; "
                "mend them and send them again."
            ) from None

    def _readable(self, table: DeltaTable, rows: int) -> DeltaTable:
        """Return the table, with columns that nothing can read written again."""
        if not unreadable_columns(table):
            return table
        with self.guarded(), self._noted(rows):
            make_readable(table)
        return DeltaTable(str(self.path))

    def _retyped(self, table: DeltaTable | None, schema: pa.Schema) -> DeltaTable | None:
        """Return the table once columns that had no value yet are of decimal numbers, which Delta cannot merge."""
        if table is None:
            return None
        known = pa.schema(table.schema().to_arrow())
        empty = [field for field in known if pa.types.is_null(field.type)]
        fields = {
            field.name: schema.field(field.name)
            for field in empty
            if pa.types.is_decimal(schema.field(field.name).type)
        }
        if not fields:
            return table
        new = pa.schema([fields.get(field.name, field) for field in known])
        # No row is overwritten: the commit has the new schema alone.
        write_deltalake(table, new.empty_table(), mode="overwrite", predicate="false", schema_mode="overwrite")
        return self.open()

    def open(self) -> DeltaTable | None:
        """Return the Delta table, or None before the first append."""
        if not (self.path / "_delta_log").exists():
            self._check_absent()
            return None
        try:
            return DeltaTable(str(self.path))
        except TableNotFoundError:  # the folder is there, and no commit in it
            self._check_absent()
            return None
        except (DeltaError, OSError) as error:
            raise _typed(error, self.path) from error

    def scan(
        self,
        uris: Sequence[str],
        columns: Sequence[str] | None = None,
        filter: ds.Expression | None = None,
        table: DeltaTable | None = None,
    ) -> pa.Table:
        """Read columns of the table's files, all of them if `columns` is None, in the log's own spelling of types.

        Columns that are not in every file need `table`, which knows them all.

        Raises
        ------
        LogDamaged
            If a file is gone or cannot be read.
        """
        with self.guarded():
            schema = None if table is None else plain(pa.schema(table.schema().to_arrow()))
            return normalise(ds.dataset(list(uris), schema=schema).to_table(columns=columns, filter=filter))

    @contextmanager
    def guarded(self) -> Iterator[None]:
        """Say in our own words why the table's files cannot be read or written."""
        try:
            yield
        except (DeltaError, pa.ArrowException, OSError) as error:
            raise _typed(error, self.path) from error

    def files(self, table: DeltaTable, start: int, end: int) -> list[str]:
        """Return the files that may hold times in ``[start, end)``, microseconds since 1970 (UTC)."""
        return [uri for uri, _, first, last in self._spans(table) if first < end and last >= start]

    def all_files(self, table: DeltaTable) -> list[str]:
        """Return the paths of all files."""
        return file_paths(self.path, file_actions(table))

    def newest_first(self, table: DeltaTable) -> list[str]:
        """Return the files, those with the latest times first."""
        return [span[0] for span in sorted(self._spans(table), key=lambda span: span[3], reverse=True)]

    def outermost(self, table: DeltaTable) -> list[str]:
        """Return the files that may hold the earliest and the latest time."""
        spans = self._spans(table)
        known = [span for span in spans if span[2:] != ALWAYS]
        least = min((first for _, _, first, _ in known), default=ALWAYS[0])
        greatest = max((last for _, _, _, last in known), default=ALWAYS[1])
        return [uri for uri, _, first, last in spans if first <= least + 2 * COARSE or last >= greatest - 2 * COARSE]

    def verify(self, table: DeltaTable) -> int:
        """Return the number of rows; raise `LogDamaged` if its batches wrote more: never a smaller window."""
        rows = self._whole(table)
        unreadable = unreadable_columns(table)
        if unreadable:
            raise LogDamaged(
                f"Column {unreadable[0]!r} in {self.path} holds UUIDs as an earlier version wrote them, which nothing "
                "reads: log the next batch, which repairs that and loses no row."
            )
        names = [Path(file).name for file, _, _, _ in self._spans(table)]
        there = set(os.listdir(self.path))
        missing = [name for name in names if name not in there and not (self.path / name).exists()]
        if missing:
            raise LogDamaged(f"{self.path / missing[0]} is gone: restore it from a backup.")
        return rows

    def _whole(self, table: DeltaTable) -> int:
        """Return the number of rows of `table`, which is open; raise `LogDamaged` if more were written."""
        expected, rows = self._manifest()["rows"], count_rows(table)
        if rows < expected:
            now = BatchTable(self.path).open()  # the manifest may be newer than the open table, or the pinned one
            if now is None or (held := count_rows(now)) < expected:
                held = 0 if now is None else held
                raise LogDamaged(
                    f"{self.path} holds {held} rows, but {expected} were written: restore it from a backup."
                )
        return rows

    def _spans(self, table: DeltaTable) -> list[Span]:
        return file_spans(table, self.path)

    def added_since(self, table: DeltaTable, version: int) -> list[str]:
        """Return files with every row that came after `version` of the table; those of all of it after a negative one.

        A compaction brings no rows: its files count only where it has taken up rows that came after `version`.
        """
        if version < 0:
            return self.all_files(table)
        files = {Path(file).name: file for file in self.all_files(table)}
        appended: set[str] = set()
        rewritten: set[str] = set()
        for number in range(version + 1, table.version() + 1):
            added = added_by(self.path, number)
            if added is None:  # Delta drops commits of over 30 days ago once a checkpoint holds them
                with suppress(DeltaError):
                    before = DeltaTable(str(self.path), version=version)
                    return sorted(set(self.all_files(table)) - set(self.all_files(before)))
                return self.all_files(table)
            appended |= added.appended
            rewritten |= added.rewritten
        uris = [files[name] for name in appended & files.keys()]
        taken_up = [str(self.path / name) for name in appended - files.keys()]
        if all(map(os.path.exists, taken_up)):
            return sorted([*uris, *taken_up])  # a vacuum has not removed them yet
        return sorted([*uris, *(files[name] for name in rewritten & files.keys())])

    def _check_absent(self) -> None:
        batches = self._manifest()["batches"]
        if batches:
            raise LogDamaged(
                f"{self.path / '_delta_log'} is gone, but {batches} batches were written: restore it from a backup."
            )

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Hold the table's lock: writers take turns."""
        lock = FileLock(self.path.with_suffix(".lock"), timeout=BUSY_SECONDS)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            lock.acquire()
        except Timeout:
            raise StoreBusy(
                f"{self.path} stayed locked by another process for {BUSY_SECONDS:.0f} s: try again later."
            ) from None
        except OSError as error:
            raise _typed(error, self.path.parent) from error
        try:
            yield
        finally:
            lock.release()

    def noted_rows(self) -> int:
        """Return how many rows were written, by our own count."""
        return self._manifest()["rows"]

    @property
    def _manifest_path(self) -> Path:
        return self.path.with_name(self.path.name + ".manifest.json")

    def _manifest(self) -> dict[str, int]:
        """Return how many batches and rows were written, by our own count."""
        try:
            found = json.loads(self._manifest_path.read_text(encoding="utf-8"))
            return {"batches": int(found["batches"]), "rows": int(found["rows"])}
        except FileNotFoundError:
            return {"batches": 0, "rows": 0}
        except (ValueError, KeyError, TypeError, OSError) as error:
            raise LogDamaged(f"{self._manifest_path} cannot be read ({error}): restore it from a backup.") from error

    @contextmanager
    def _noted(self, rows: int) -> Iterator[None]:
        """Note that the table has `rows` rows once what happens inside is done.

        The note is written before, so that a full disk is met while nothing has happened yet, and takes its place
        after. A process that is killed in between leaves a count that is too small; the next append puts it right.
        """
        note = {"batches": self._manifest()["batches"] + 1, "rows": rows}
        waiting = self._manifest_path.with_suffix(".next")
        with waiting.open("w", encoding="utf-8") as file:
            json.dump(note, file)
            file.flush()
            os.fsync(file.fileno())
        yield
        waiting.replace(self._manifest_path)

    def _add_checksums(self) -> None:
        """Put the bytes of what was written on record; the rows are there, and the next append catches up."""
        with suppress(OSError, LogDamaged):
            add_checksums(self.path)

    def _catch_up(self, rows: int) -> None:
        """Note the rows of a batch whose writer was killed before it could."""
        if rows > self._manifest()["rows"]:
            with self.guarded(), self._noted(rows):
                pass


class _Pinned(BatchTable):
    """A table that is opened and verified once."""

    def open(self) -> DeltaTable | None:
        return self._opened

    def verify(self, table: DeltaTable) -> int:
        return self._rows

    def _spans(self, table: DeltaTable) -> list[Span]:
        return self._files

    @cached_property
    def _files(self) -> list[Span]:
        return [] if self._opened is None else file_spans(self._opened, self.path)

    @cached_property
    def _opened(self) -> DeltaTable | None:
        return super().open()

    @cached_property
    def _rows(self) -> int:
        return 0 if self._opened is None else super().verify(self._opened)


def _configuration(schema: pa.Schema) -> dict[str, str | None]:
    indexed = [name for name in _INDEXED if name in schema.names]
    return {**_CONFIGURATION, "delta.dataSkippingStatsColumns": ",".join(indexed)}


def _typed(error: Exception, path: Path) -> LogDamaged | StoreFull | WorkspaceReadOnly:
    reason = getattr(error, "strerror", None) or next(iter(str(error).splitlines()), type(error).__name__)
    if is_full(error) or room(path) < LEAST_ROOM:
        return no_room(path)
    if isinstance(error, PermissionError) or "ermission denied" in reason or "Read-only" in reason:
        return WorkspaceReadOnly(f"{path} cannot be written or read ({reason}): make it writable, then repeat.")
    return LogDamaged(f"{path} cannot be used ({reason}): restore it from a backup.")
