"""Scoring: the live model of a version, and what it predicts for rows in memory and for tables of any size."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from modelops_jupyter.actions import batch_scoring, evaluation
from modelops_jupyter.actions.scored_logging import log_columns
from modelops_jupyter.actions.versions import find_version
from modelops_jupyter.foundations import Foundations
from modelops_jupyter.refs import ModelReference

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from modelops_jupyter.actions.batch_scoring import ScoredTable
    from modelops_jupyter.choices import InvalidRows, Role
    from modelops_jupyter.serving.endpoint import Endpoint


class ScoringVerbs(Foundations):
    """The part of a `Workspace` that scores."""

    def load(self, version: str | ModelReference, *, unsafe: bool = False) -> Any:
        """Return the live model behind `version`, after checking every byte against what was registered.

        `unsafe` loads a version that was registered as unsafe, which runs the code inside it. Functions of the project
        that a version calls run from the source that is kept with it, which `card` shows.
        """
        return self.registry.load(find_version(self.known, version).body, unsafe=unsafe)

    def predict(
        self, version: str | ModelReference, frame: Any, *, invalid: InvalidRows = "allow", unsafe: bool = False
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Return predictions and, where the model has them, scores for the rows of `frame`; `unsafe` as in `load`.

        Rows are cast to the version's contract: the columns, types, ranges and categories that it was registered with.
        Text in a number column is refused; ``invalid="refuse"`` refuses what lies outside its range or categories, too.
        """
        what: dict[str, Any] = {"invalid": invalid, "unsafe": unsafe}
        return evaluation.predict(self.known, self.registry, version, frame, **what)

    def predict_file(
        self,
        version: str | ModelReference,
        data: str | os.PathLike[str] | pd.DataFrame,
        output: str | os.PathLike[str],
        *,
        invalid: InvalidRows = "mark",
        log: bool = False,
        id: str | None = None,
        time: str | None = None,
        zone: str | None = None,
        batch_id: str | None = None,
        role: Role | None = None,
        unsafe: bool = False,
    ) -> ScoredTable:
        """Score a table of any size into another, part by part: every column is kept, predictions are appended.

        Written are the columns of `data` as they came, ``prediction``, of classifiers of two classes ``score``, and,
        where rows are marked, ``invalid``. The output is there whole or not at all.

        Parameters
        ----------
        data, output
            A .parquet or .csv file or ``delta:FOLDER``; `data` also a folder of files of one kind, or a table in
            memory. The columns of a folder are those of all its files; a feature that one lacks is refused by name.
        invalid
            What to do with rows unlike those that the version was registered with (type, missing values, range,
            category): ``mark`` says so in the column ``invalid``, ``refuse`` scores nothing, ``allow`` scores them and
            only counts them. A row that the model cannot take has no prediction.
        log, id, time, zone, batch_id, role
            Log what was predicted as `log_predictions` does, once all rows are scored; `id` and `time` are columns of
            `data`.
        unsafe
            As in `load`.

        Raises
        ------
        InvalidFrame
            If a column is missing, no row can be scored, or rows are refused; nothing is written then.
        """
        columns = log_columns(log, id, time, batch_id, role, zone)
        how: dict[str, Any] = {"invalid": invalid, "log_columns": columns, "unsafe": unsafe}
        kept = self.sources.log_of(version) if log else self.log
        return batch_scoring.predict_file(self.known, self.registry, kept, version, data, output, **how)

    def serve(
        self,
        models: str | Sequence[str],
        *,
        host: str = "127.0.0.1",
        port: int = 8877,
        token: str | None = None,
        tls_cert: str = "",
        tls_key: str = "",
        insecure: bool = False,
        durable: bool = False,
        invalid: InvalidRows = "mark",
        unsafe: bool = False,
    ) -> Endpoint:
        """Serve models over HTTP in a process of their own, and return when it answers.

        It ends with ``close()``, at the end of a ``with``, or with this process. ``name`` and ``name@champion`` follow
        the champion. Every prediction is logged, within a minute.

        Parameters
        ----------
        host, port
            Where to listen; port 0 is any free one.
        token
            What requests carry as ``Authorization: Bearer TOKEN`` (default: ``MODELOPS_SERVE_TOKEN``).
        tls_cert, tls_key
            Files in PEM, for https.
        insecure
            Let other machines reach it without a token or without TLS.
        durable
            Have each prediction on disk before it is answered; without, a process that is killed loses a second's.
        invalid
            What to do with rows unlike those that the version was registered with (missing values, range, category):
            ``mark`` scores them and says ``refer``, ``refuse`` answers 422, ``allow`` only scores them.
        unsafe
            As in `load`.

        Raises
        ------
        InvalidInput
            If other machines would reach it without a token or TLS, or the certificate cannot be used.
        DependencyFailed
            If the port is taken, or a model cannot be loaded here.
        Refused
            If a version was rejected, is unsafe, or was changed.
        """
        from modelops_jupyter.serving.endpoint import start
        from modelops_jupyter.serving.options import ServingOptions, read_token

        names = (models,) if isinstance(models, str) else tuple(models)
        where: dict[str, Any] = {"host": host, "port": port, "token": read_token(None) if token is None else token}
        tls: dict[str, Any] = {"tls_cert": tls_cert, "tls_key": tls_key, "insecure": insecure}
        how: dict[str, Any] = {"durable": durable, "invalid": invalid, "unsafe": unsafe}
        return start(self.settings, ServingOptions(names, **where, **tls, **how))
