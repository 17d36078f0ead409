"""The facade: every capability of the product is one method here, and every face calls it."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelops_jupyter.actions import (
    aliases,
    casework,
    catalogue,
    evaluation,
    logged_comparison,
    moves,
    prediction_logging,
    reconciliation,
    registration,
    running,
    versions,
    watching,
)
from modelops_jupyter.actions.overview import read_overview
from modelops_jupyter.actions.service_files import changed_in_service
from modelops_jupyter.listing import Listing
from modelops_jupyter.refs import ModelReference
from modelops_jupyter.settings import find_settings
from modelops_jupyter.workspace_incidents import IncidentVerbs
from modelops_jupyter.workspace_inspection import InspectionVerbs
from modelops_jupyter.workspace_records import RecordVerbs
from modelops_jupyter.workspace_scoring import ScoringVerbs

if TYPE_CHECKING:
    from modelops_jupyter.actions.adopted import Adoption
    from modelops_jupyter.actions.casework import Incident
    from modelops_jupyter.actions.catalogue import Status
    from modelops_jupyter.actions.overview import ModelOverview
    from modelops_jupyter.actions.reconciliation import Reconciliation
    from modelops_jupyter.actions.versions import RegisteredVersion
    from modelops_jupyter.choices import ModelKind, Role, WindowLength
    from modelops_jupyter.governance import Comparison, Decision, GateReport, Transition
    from modelops_jupyter.log import Appended
    from modelops_jupyter.monitoring import MonitorReport
    from modelops_jupyter.monitoring.pace import WorkEvent
    from modelops_jupyter.pipelines import CellEvent, NotebookRun, PipelineRun, StepEvent


def open(path: str | os.PathLike[str] | None = None) -> Workspace:
    """Open the workspace of `path`, or the nearest one upwards of the current folder.

    Nothing is written before the first verb that needs it.

    Raises
    ------
    NotFound
        If `path` does not exist.
    InvalidInput
        If its ``modelops.toml`` cannot be used.
    """
    return Workspace(find_settings(path))


class Workspace(IncidentVerbs, InspectionVerbs, RecordVerbs, ScoringVerbs):
    """A team's models: registry, prediction log, store and the rules they live by.

    Catalogue: `status`, `models`, `versions`, `version`, `overview`.
    Register and judge: `register`, `adopt`, `evaluate`, `compare`, `gate`, `check`, `approve`, `reject`,
    `comment`.
    Score: `load`, `predict`, `predict_file`, `serve`.
    Move: `promote`, `rollback`, `reconcile`.
    Log: `log_predictions`, `log_labels`.
    Watch: `monitor`, `watch`, `compare_data`, `distribution`, `curves`, `explain`, `multivariate_drift`, `backtest`.
    Incidents: `alerts`, `incidents`, `incident`, `acknowledge`, `assign`, `resolve`, `mute`, `accept`, `revoke`,
    `deliver`.
    Run: `run`, `runs`, `run_notebook`, `notebook_parameters`.
    Record: `board`, `card`, `audit`, `audit_head`, `verify_audit`, `doctor`, `backup`.
    """

    # The catalogue.

    def status(self) -> Status:
        """Return where the workspace stands: models, health, history, open alerts; what was changed behind its back."""
        from modelops_jupyter.actions import adoption
        from modelops_jupyter.serving.state import serving_sentences

        self.registry.check()
        changes = aliases.differences(self.store, self.registry)
        moved = [f"{change}: {change.advice}" for change in changes]
        waiting = adoption.unadopted(self.store, self.registry)
        changed = changed_in_service(self.store, self.registry)
        wrong = (moved, waiting.models, waiting.misnamed, changed, serving_sentences(self.settings))
        return catalogue.status(self.store, self.settings, *wrong)

    def models(self) -> Listing:
        """Return every model with its champion, health and open alerts."""
        return catalogue.models(self.known, self.settings.use_cases)

    def versions(self, name: str) -> Listing:
        """Return every version of a model, newest first, with its aliases and metrics."""
        return catalogue.versions(self.known, name)

    def overview(self, name: str, *, every: WindowLength | None = None) -> ModelOverview:
        """Return one model on one page: performance, drift, versions, transitions, alerts, audit trail.

        Without `every` in windows of the length that the model is monitored in.
        """
        return read_overview(self.known, name, every, self.settings.use_cases)

    def version(self, version: str | ModelReference) -> RegisteredVersion:
        """Return one version; raises `NotFound` if there is no such model, version or alias."""
        return versions.find_version(self.known, version)

    # A model's way in.

    def register(
        self,
        model: Any,
        name: str,
        *,
        data: Any = None,
        target: Any = None,
        reference: Any = None,
        outcomes: Any = None,
        inputs: Sequence[str] = (),
        run_id: str | None = None,
        kind: ModelKind | None = None,
        decision: str | None = None,
        metrics: Mapping[str, float] | None = None,
        description: str = "",
        unsafe: bool = False,
    ) -> RegisteredVersion:
        """Register a fitted model or decision table as the next version of `name`.

        Parameters
        ----------
        model
            A fitted model of an allowed format (scikit-learn, XGBoost, LightGBM, ONNX), a `DecisionTable`, the path of
            a file that holds one, or MLflow's address of one: ``models:/iris@champion``, ``runs:/RUN/model``. Plain
            functions of the project that a pipeline calls are kept with it, with the file that defines them.
        data, target
            Training rows and their labels (or the name of a column); used for the signature and the data fingerprint.
        reference, outcomes
            Validation rows and their labels, also as ``(table, labels)``; a column of the target's name is taken for
            the labels. Metrics are measured on them, and monitoring compares with them, else with the training rows.
        inputs, run_id
            Addresses of the dataset versions it was made from, and the MLflow run that trained it (default: a new one).
        kind, decision
            ``ml`` or ``decision`` (default: what the model is); of a decision table, the output that is the decision.
        metrics
            Metrics of your own, recorded as claimed; what is measured on the reference takes the place of yours.
        unsafe
            Register a format outside the allow-list, which is refused without it; marked so everywhere.
        """
        rows: dict[str, Any] = {"data": data, "target": target, "reference": reference, "outcomes": outcomes}
        facts: dict[str, Any] = {"inputs": inputs, "run_id": run_id, "metrics": metrics, "description": description}
        what: dict[str, Any] = {"kind": kind, "decision": decision, "unsafe": unsafe}
        aliases.restore_model(self.known, self.registry, self.settings, self.actor, name)
        return registration.register(self.store, self.registry, self.actor, model, name, **what, **rows, **facts)

    def adopt(
        self,
        name: str | None = None,
        *,
        all: bool = False,
        reference: Any = None,
        outcomes: Any = None,
        new_name: str | None = None,
        unsafe: bool = False,
        on_progress: Callable[[WorkEvent], None] | None = None,
    ) -> Adoption:
        """Put models of the MLflow registry on record as they are: versions, aliases, metrics and lineage.

        MLflow is only read. Files are trusted from now on, by their digests; what no reader of ours takes is marked
        unsafe. A model's aliases come with its first adoption, through no gate. Adopting again takes what is new.

        Parameters
        ----------
        name
            A registered model of MLflow's; or say `all`.
        reference, outcomes
            Validation rows for versions without a reference, and their labels or the name of their column, as in
            `register`.
        new_name
            What the model is called here, where MLflow's name does not fit.
        unsafe
            Load what runs code when it is loaded, to learn its task and to give it a reference.
        """
        from modelops_jupyter.actions import adoption

        rows: dict[str, Any] = {"reference": reference, "outcomes": outcomes}
        return adoption.adopt(self, name, all=all, new_name=new_name, unsafe=unsafe, on_progress=on_progress, **rows)

    # Judging and moving.

    def evaluate(
        self, version: str | ModelReference, *, data: Any, target: Any, unsafe: bool = False
    ) -> RegisteredVersion:
        """Measure a version on rows it was not fitted on, and put the metrics on record in place of earlier ones.

        `target` holds the labels, or names the column of `data` that does; `unsafe` as in `load`.
        """
        rows = {"data": data, "target": target}
        return evaluation.evaluate(self.known, self.registry, self.actor, version, **rows, unsafe=unsafe)

    def compare(
        self,
        version: str | ModelReference,
        other: str | ModelReference,
        *,
        data: Any = None,
        target: Any = None,
        segments: Sequence[str] = (),
        unsafe: bool = False,
    ) -> Comparison:
        """Compare two versions on the same rows: metrics with intervals, and by segment; `unsafe` as in `load`.

        Without `data` on what they predicted: on the logged requests of both, paired, with the labels of the log, as
        of a champion and of the shadow beside it.
        """
        if data is None:
            logged_comparison.check_no_rows(target)
            return logged_comparison.compare_logged(self.known, self.sources, version, other, segments)
        rows = {"data": data, "target": target, "segments": segments}
        return evaluation.compare_versions(self.known, self.registry, version, other, **rows, unsafe=unsafe)

    def check(self, version: str | ModelReference, alias: str = "champion") -> GateReport:
        """Evaluate the gate to `alias` for a version, and keep the report."""
        return moves.check(self, version, alias)

    def gate(self, version: str | ModelReference, alias: str = "champion") -> GateReport:
        """Return what the gate to `alias` would say of a version now, and who holds the alias; keep nothing."""
        return moves.gate(self, version, alias)

    def approve(self, version: str | ModelReference, *, reason: str) -> Decision:
        """Put an approval of this version's exact bytes on record."""
        return moves.approve(self, version, reason)

    def reject(self, version: str | ModelReference, *, reason: str) -> Decision:
        """Put a rejection on record: the version cannot be promoted until it is approved again."""
        return moves.reject(self, version, reason)

    def comment(self, subject: str | ModelReference, text: str) -> Decision | Incident:
        """Put a remark about a version, or about an incident, on record."""
        if isinstance(subject, str) and casework.is_incident(subject):
            return casework.comment(self.known, subject, text, self.actor)
        return moves.comment(self, subject, text)

    def promote(
        self, version: str | ModelReference, alias: str = "champion", *, reason: str, expected: int | None = None
    ) -> Transition:
        """Point `alias` at a version, through its gate.

        Parameters
        ----------
        expected
            The version that is believed to hold the alias now; another one there is a `Conflict`.

        Raises
        ------
        GateClosed
            If a required check failed or an approval is missing.
        Conflict
            If somebody else moved the alias meanwhile.
        """
        return moves.promote(self, version, alias, reason, expected)

    def rollback(self, name: str, alias: str = "champion", *, reason: str) -> Transition:
        """Point `alias` back at the last version that held it before and is not rejected."""
        return moves.rollback(self, name, alias, reason)

    def reconcile(self) -> Reconciliation:
        """Make MLflow's models and aliases what is on record; what somebody changed there becomes an incident.

        What MLflow can no longer show, such as a version that was deleted there, is listed with what to do instead.
        """
        return reconciliation.reconcile(self.store, self.registry, self.settings, self.actor)

    # Watching.

    def log_predictions(
        self,
        version: str | ModelReference,
        frame: Any,
        *,
        id: str,
        time: str,
        prediction: str,
        score: str | None = None,
        zone: str | None = None,
        batch_id: str | None = None,
        role: Role = "served",
    ) -> Appended:
        """Append what a version predicted; the remaining columns are its features.

        A prediction is a request id, a version and a role; a label meets all predictions of its request.

        Parameters
        ----------
        id, time, prediction, score
            Names of the columns that hold the request's id, its time, the prediction and, for classifiers, the
            probability of the positive class. Every batch has the version's features, too; other
            columns (segments, metadata) are kept, may be missing from a batch, and may come first in a later one.
        zone
            The time zone of times that do not say theirs, as ``Europe/Rome``; without it they are refused.
        batch_id
            A name for this batch: the same requests sent again change nothing, others are a `Conflict`.
        role
            ``served``: the answer that was given. ``shadow``: what the version would have answered, on the side.
            ``canary``: answers to the share of requests that a version is tried on. Each version has a series of
            figures and alerts of its own for its shadow and for its canary predictions.
        """
        columns: dict[str, Any] = {"id": id, "time": time, "prediction": prediction, "score": score}
        log = self.sources.log_of(version)
        return prediction_logging.log_predictions(
            self.known, log, version, frame, **columns, batch_id=batch_id, role=role, zone=zone
        )

    def log_labels(
        self,
        name: str,
        frame: Any,
        *,
        id: str,
        label: str,
        event_time: str | None = None,
        zone: str | None = None,
        batch_id: str | None = None,
    ) -> Appended:
        """Append outcomes in any order, those of rows that have one; a later event for a request corrects it.

        `zone` is the time zone of event times that do not say theirs, as ``Europe/Rome``; without it they are refused.
        """
        columns: dict[str, Any] = {"id": id, "label": label, "event_time": event_time}
        log = self.sources.log_of(name, "labels")
        return prediction_logging.log_labels(self.known, log, name, frame, **columns, batch_id=batch_id, zone=zone)

    def monitor(
        self,
        name: str,
        *,
        every: WindowLength = "1D",
        segments: Sequence[str] | None = None,
        alert_budget: str | None = None,
        holidays: str | Sequence[str] | None = None,
        **spelled: Any,
    ) -> MonitorReport:
        """Profile and judge the windows that are new or whose labels have arrived, and return the whole report.

        Parameters
        ----------
        segments
            Columns by whose values each window is sliced as well; None keeps those of the last run, () ends them.
        alert_budget
            How many false alerts of this model are accepted: ``1/month``, ``2/week``. None keeps the last run's, at
            first that of the settings; another one judges every window anew.
        holidays
            Days that are shown and not judged: countries (``US``, ``US-NY``), markets (``XNYS``) and single days
            (``2013-11-29``). None keeps those of the last run, at first those of the settings; () ends them.
        spelled
            Databricks' words (``granularities, slicing_exprs, problem_type, …``) or NannyML's (``chunk_period``).
        """
        length: str = every
        if spelled:
            length, segments = watching.spelled_out(self.known, name, spelled, every, segments)
        return watching.monitor(
            self.known, self.sources, self.settings, self.actor, name, length, segments, alert_budget, holidays
        )

    # Running.

    def run(
        self,
        pipeline: str | os.PathLike[str],
        *,
        parameters: Mapping[str, Any] | None = None,
        jobs: int = 1,
        resume: bool = False,
        on_progress: Callable[[StepEvent], None] | None = None,
        on_cell: Callable[[CellEvent], None] | None = None,
        stopped: Callable[[], bool] | None = None,
    ) -> PipelineRun:
        """Execute a pipeline of parameterized notebooks.

        Parameters
        ----------
        pipeline, parameters
            The ``pipeline.yaml``, and values for parameters that its notebooks declare.
        jobs
            How many notebooks may run at once, each with its share of the cores unless ``OMP_NUM_THREADS`` is set.
        resume
            Keep the completed steps of the last run whose notebook, parameters and predecessors are the same.
        on_progress, on_cell, stopped
            Called as each step and each of its cells begins and ends; once `stopped` returns True the run is ended.

        Raises
        ------
        InvalidPipeline
            If the file, a notebook or a parameter is wrong; nothing has run then.
        NotebookFailed
            If a step raised, timed out or lost its kernel.
        """
        ears, path = running.Ears(on_progress, on_cell, stopped), Path(pipeline)
        return running.run(self.store, self.settings, self.actor, path, parameters, ears, jobs=jobs, resume=resume)

    def run_notebook(
        self,
        path: str | os.PathLike[str],
        *,
        parameters: Mapping[str, Any] | None = None,
        output: str | os.PathLike[str] | None = None,
        on_cell: Callable[[CellEvent], None] | None = None,
    ) -> NotebookRun:
        """Execute one notebook with parameters that it declares, and leave it with its results at `output`."""
        return running.run_notebook(self.settings, Path(path), parameters=parameters, output=output, on_cell=on_cell)

    def notebook_parameters(self, path: str | os.PathLike[str]) -> Listing:
        """Return the parameters that a notebook declares: name, type, default, help."""
        return running.notebook_parameters(Path(path))

    def runs(self, name: str | None = None) -> Listing:
        """Return runs of pipelines with their steps, newest first: all, or of those that made versions of a model."""
        return catalogue.runs(self.known, name, self.settings.project)
