"""Pipelines of parameterized notebooks, executed by papermill."""

from modelops_jupyter.pipelines.parameters import Parameter, list_parameters, read_parameters
from modelops_jupyter.pipelines.run import PipelineRun, StepEvent, StepRun, run_pipeline
from modelops_jupyter.pipelines.runner import CellEvent, InMemoryRunner, NotebookJob, NotebookRunner, ProcessRunner
from modelops_jupyter.pipelines.single import NotebookRun, run_notebook
from modelops_jupyter.pipelines.spec import Pipeline, Step, load_pipeline
from modelops_jupyter.pipelines.written import from_shell

__all__ = [
    "CellEvent",
    "InMemoryRunner",
    "NotebookJob",
    "NotebookRun",
    "NotebookRunner",
    "Parameter",
    "Pipeline",
    "PipelineRun",
    "ProcessRunner",
    "Step",
    "StepEvent",
    "StepRun",
    "from_shell",
    "list_parameters",
    "load_pipeline",
    "read_parameters",
    "run_notebook",
    "run_pipeline",
]
