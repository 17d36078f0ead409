"""Which place the predictions of a model are read from: our own log, or the table that the settings name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

from modelops_jupyter.errors import InvalidInput, SourceFileUnreadable
from modelops_jupyter.log import PredictionLog, PredictionSource
from modelops_jupyter.refs import ModelReference, parse
from modelops_jupyter.source_settings import Source
from modelops_jupyter.sources.faults import SourceProblems
from modelops_jupyter.sources.mapping import ModelFacts
from modelops_jupyter.sources.watched import WatchedSource, place_of

T = TypeVar("T")


def read_source(source: PredictionSource, work: Callable[[PredictionSource], T]) -> tuple[T, SourceProblems]:
    """Return what `work` makes of a source; see `Sources.read`."""
    while isinstance(source, WatchedSource):
        try:
            return work(source), source.problems()
        except SourceFileUnreadable as error:
            source = source.without(error)
    return work(source), SourceProblems()


class Sources:
    """The places of a workspace's predictions.

    Parameters
    ----------
    sources
        By model, where predictions lie that are not in `log`.
    folder
        Where relative paths start.
    facts_of
        Returns what must be known of a model.
    """

    def __init__(
        self,
        sources: Callable[[], Mapping[str, Source]],
        folder: Path,
        log: PredictionLog,
        facts_of: Callable[[str, int | None], ModelFacts],
    ) -> None:
        self._sources, self._folder, self.log, self._facts_of = sources, folder, log, facts_of

    def of(self, model: str) -> PredictionSource:
        """Return what the predictions of a model are read from."""
        source = self._sources().get(model)
        if source is None:
            return self.log
        return WatchedSource(source, self._facts_of(model, source.version), self._folder, self.log)

    def is_watched(self, model: str) -> bool:
        """Return whether the predictions of a model are read from a table that the settings name."""
        return model in self._sources()

    def read(self, model: str, work: Callable[[PredictionSource], T]) -> tuple[T, SourceProblems]:
        """Return what `work` makes of the predictions of a model, and what could not be read.

        Where a file of a table that others write cannot be read, the work is done again without it.
        """
        return read_source(self.of(model), work)

    def log_of(self, reference: str | ModelReference, table: str = "predictions") -> PredictionLog:
        """Return our own log, to write to.

        Raises
        ------
        InvalidInput
            If the predictions or labels of the model lie elsewhere.
        """
        model = parse(reference).name
        source = self._sources().get(model)
        elsewhere = source is not None and (table == "predictions" or source.labels or "label" in source.columns)
        if source is not None and elsewhere:
            place = source.labels if table == "labels" and source.labels is not None else source
            where = place_of(place, ModelFacts(model, "", (), (), 0), self._folder).where
            raise InvalidInput(
                f"The {table} of {model!r} are read from {where}: write them there, or remove [source.{model}] from "
                "the settings."
            )
        return self.log
