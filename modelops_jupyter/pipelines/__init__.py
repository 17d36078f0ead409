"""Pipelines of parameterized notebooks, executed by papermill."""

from modelops_jupyter.pipelines.parameters import Parameter, read_parameters
from modelops_jupyter.pipelines.run import PipelineRun, StepEvent, StepRun, run_pipeline
from modelops_jupyter.pipelines.runner import InMemoryRunner, NotebookJob, NotebookRunner, ProcessRunner
from modelops_jupyter.pipelines.spec import Pipeline, Step, load_pipeline

__all__ = [
    "InMemoryRunner",
    "NotebookJob",
    "NotebookRunner",
    "Parameter",
    "Pipeline",
    "PipelineRun",
    "ProcessRunner",
    "Step",
    "StepEvent",
    "StepRun",
    "load_pipeline",
    "read_parameters",
    "run_pipeline",
]
