"""A gate with its decisions, and a pipeline with its progress: views that do something, once per click."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import traitlets

from modelops_jupyter.display import governance, palette
from modelops_jupyter.display.failures import unforeseen
from modelops_jupyter.display.html import Html, join
from modelops_jupyter.display.listings import pipeline_run
from modelops_jupyter.display.tables import badge, heading, note, table
from modelops_jupyter.display.widgets.live import Live, button, failed, join_form, text_field
from modelops_jupyter.errors import InvalidInput, ModelOpsError
from modelops_jupyter.imports import import_ahead

if TYPE_CHECKING:
    from modelops_jupyter.governance import Decision
    from modelops_jupyter.pipelines import CellEvent, PipelineRun, StepEvent
    from modelops_jupyter.workspace import Workspace

_log = logging.getLogger(__name__)
DECISIONS = ("approve", "reject", "comment", "promote")
STATES = {
    "waiting": ("○", palette.GREY),
    "running": ("…", palette.BLUE),
    "completed": ("✓", palette.GREEN),
    "kept": ("✓", palette.GREY),
    "failed": ("✕", palette.RED),
}
# What a run beside the notebook imports where it first needs it, the store's making included.
FOR_RUNS = ("modelops_jupyter.store", "modelops_jupyter.store.schema", "modelops_jupyter.pipelines")
SAID = {"ready": "Not started.", "running": "Running.", "stopping": "Stopping."}


class GateView(Live):
    """What a promotion would meet, and the decisions that can be taken; each needs a reason and happens once."""

    def __init__(self, workspace: Workspace, reference: str, alias: str = "champion") -> None:
        self._workspace, self._reference, self._alias = workspace, reference, alias
        self._done: Html | None = None
        controls = (button(word.capitalize(), word) for word in DECISIONS)
        super().__init__(form=join_form(text_field("reason", "Reason", late=True), *controls))

    def draw(self) -> None:
        """Ask the policy, and show its answer with what was decided last."""
        self.html = join(self._done, governance.gate(self._workspace.gate(self._reference, self._alias)))

    def pick(self, what: str) -> None:
        """Take a decision with the reason in the form; the form is emptied, so that a second click finds none."""
        if what not in DECISIONS:
            return
        reason = self.field("reason").strip()
        if not reason:
            raise InvalidInput(f"To {what}, give a reason: it goes on record.")
        self.fields = {}
        ws, reference = self._workspace, self._reference
        if what == "promote":
            holder = ws.gate(reference, self._alias).holder
            self._done = governance.transition(ws.promote(reference, self._alias, reason=reason, expected=holder))
        elif what == "comment":
            self._done = governance.decision(cast("Decision", ws.comment(reference, reason)))  # a version's
        else:
            decide = ws.approve if what == "approve" else ws.reject
            self._done = governance.decision(decide(reference, reason=reason))
        self.draw()


class RunView(Live):
    """A pipeline's run, step by step; it runs beside the notebook, which stays free."""

    CONTROLS = (("Run", "run"), ("Resume", "resume"), ("Stop", "stop"))
    state = traitlets.Unicode("ready")
    result: PipelineRun | None = None

    def __init__(
        self, workspace: Workspace, pipeline: str | Path, parameters: Mapping[str, Any] | None = None, jobs: int = 1
    ) -> None:
        self._workspace, self._pipeline = workspace, Path(pipeline)
        self._options: dict[str, Any] = {"parameters": dict(parameters or {}), "jobs": jobs}
        self._steps: dict[str, tuple[str, str]] = {}
        self._failure = ""
        self._thread: threading.Thread | None = None
        super().__init__(form=join_form(*(button(words, pick) for words, pick in self.CONTROLS)))

    def draw(self) -> None:
        """Draw the steps as far as they have come."""
        rows = [[step, badge(*_state(state)), took] for step, (state, took) in self._steps.items()]
        self.html = join(
            heading(self._pipeline.name),
            note(SAID.get(self.state, f"{self.state.capitalize()}.")),
            table(("Step", "State", "Time"), rows, right=(2,)) if rows and self.result is None else None,
            pipeline_run(self.result) if self.result is not None else None,
            failed(self._failure) if self._failure else None,
        )

    def pick(self, what: str) -> None:
        """Start, unless it runs already."""
        if what in ("run", "resume"):
            self.start(resume=what == "resume")
        elif what == "stop" and self.state == "running":
            self.state = "stopping"
            self.draw()

    def start(self, *, resume: bool = False) -> None:
        """Run the pipeline in the background; a second start while it runs does nothing."""
        if self._thread is not None and self._thread.is_alive():
            return
        self._steps, self._failure, self.result, self.state = {}, "", None, "running"
        self.draw()
        import_ahead(FOR_RUNS)
        self._thread = threading.Thread(target=self._run, args=(resume,), name="modelops-run", daemon=True)
        self._thread.start()

    def wait(self, seconds: float | None = None) -> None:
        """Wait for the end of the run."""
        if self._thread is not None:
            self._thread.join(seconds)

    def _run(self, resume: bool) -> None:
        """Run with a workspace of this thread's own; nothing is printed, as a thread's output lands in any cell."""
        from modelops_jupyter.workspace import Workspace

        with Workspace(self._workspace.settings) as ws:
            try:
                self.result = ws.run(
                    self._pipeline,
                    resume=resume,
                    on_progress=self._progress,
                    on_cell=self._cell,
                    stopped=lambda: self.state == "stopping",
                    **self._options,
                )
                self.state = "stopped" if self.result.state == "interrupted" else "completed"
            except ModelOpsError as error:
                self._failure, self.state = str(error), "failed"
            except Exception as error:  # nobody sees what a thread raises
                self._failure, self.state = unforeseen(error, _log, "Jupyter's log has the rest:"), "failed"
        self.draw()

    def _progress(self, event: StepEvent) -> None:
        took = "" if event.seconds is None else f"{event.seconds:.0f} s"
        self._steps[event.step] = (event.state, took)
        self.draw()

    def _cell(self, event: CellEvent) -> None:
        self._steps[event.notebook] = ("running", f"cell {event.number} of {event.total}")
        self.draw()


def _state(word: str) -> tuple[str, str, str]:
    icon, colour = STATES.get(word, ("○", palette.GREY))
    return icon, word, colour
