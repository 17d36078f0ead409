"""Predictions of a table that was scored part by part, logged once every part is scored: all of them or none."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelops_jupyter.data_files import with_zoned_times
from modelops_jupyter.errors import InvalidInput
from modelops_jupyter.frames import to_arrow
from modelops_jupyter.roles import SERVED, check_role
from modelops_jupyter.time_columns import are_zoned_times, check_zone

if TYPE_CHECKING:
    import pandas as pd

    from modelops_jupyter.log import Appended


@dataclass(frozen=True)
class LogColumns:
    """Which columns hold the request ids and times of predictions that are logged, the name of the batch, the role.

    `zone` is that of times that do not say theirs.
    """

    id: str
    time: str
    batch_id: str | None
    role: str = SERVED
    zone: str | None = None


def log_columns(
    log: bool,
    id: str | None,
    time: str | None,
    batch_id: str | None,
    role: str | None = None,
    zone: str | None = None,
) -> LogColumns | None:
    """Return what a caller says of the log, None where nothing is to be logged.

    Raises
    ------
    InvalidInput
        If a column is missing, or named although nothing is to be logged.
    """
    if not log:
        if id or time or batch_id or role or zone:
            raise InvalidInput(
                "id, time, zone, batch_id and role are of the log: say log=True (--log) too, or leave them out."
            )
        return None
    if not id or not time:
        raise InvalidInput("The log takes request ids and times: name their columns with id= and time= (--id, --time).")
    return LogColumns(id, time, batch_id, check_role(role or SERVED), check_zone(zone))


class ScoredBatches:
    """The scored parts of a table on disk, until all are scored and `log` appends each as a batch.

    Parameters
    ----------
    typed
        Whether the table's columns have types of their own. Text of a CSV file is read as numbers or times where that
        is how it is written in all parts.
    answers
        What the columns of predictions and of scores are called; None without scores.
    append
        Appends the rows of a part to the log, given its columns by name.
    folder
        A folder of its own, which the caller removes.
    """

    def __init__(
        self,
        columns: LogColumns,
        typed: bool,
        answers: tuple[str, str | None],
        append: Callable[..., Appended],
        folder: Path,
    ) -> None:
        self._columns, self._typed, self._append, self._folder = columns, typed, append, folder
        self._answers = dict(zip(("prediction", "score"), answers, strict=True))
        self._numbers: set[str] | None = None
        self._times: set[str] | None = None
        self._files: list[tuple[int, Path]] = []

    def add(self, rows: pd.DataFrame, number: int) -> None:
        """Keep the rows of part `number`, counted from 1."""
        import pyarrow.feather

        if not self._typed:
            texts = list(rows.columns[rows.dtypes == "str"])
            numbers = {name for name in texts if _are_numbers(rows[name])}
            times = {name for name in texts if are_zoned_times(rows[name]) or rows[name].isna().all()}
            self._numbers = numbers if self._numbers is None else self._numbers & numbers
            self._times = times if self._times is None else self._times & times
        file = self._folder / f"{number}.arrow"
        pyarrow.feather.write_feather(to_arrow(rows), str(file), compression="lz4")
        self._files.append((number, file))

    def log(self) -> Iterator[Appended]:
        """Append every part as `Workspace.log_predictions` does, and yield what became of it."""
        import pyarrow.feather

        named = self._columns
        for number, file in self._files:
            rows = self._read_again(pyarrow.feather.read_table(str(file)).to_pandas())
            batch = named.batch_id if named.batch_id is None or number == 1 else f"{named.batch_id}/{number}"
            where: dict[str, Any] = {"id": named.id, "time": named.time, "zone": named.zone}
            where |= {"role": named.role, "batch_id": batch}
            yield self._append(rows, **where, **self._answers)

    def _read_again(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Return the rows of a part with texts of numbers and times as what they are."""
        import pandas as pd

        if self._typed:
            return with_zoned_times(rows, [self._columns.time])
        numbers = {name: pd.to_numeric(rows[name]) for name in self._numbers or ()}
        return with_zoned_times(rows.assign(**numbers), (self._times or set()) - numbers.keys())


def _are_numbers(texts: pd.Series[Any]) -> bool:
    import pandas as pd

    return bool((pd.to_numeric(texts, errors="coerce").notna() == texts.notna()).all())
