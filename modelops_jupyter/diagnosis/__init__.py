"""A look at every part of a workspace at rest: what is wrong, where, and what puts it right; nothing is changed."""

from modelops_jupyter.diagnosis.examination import EXAMINERS, Diagnosis, diagnose
from modelops_jupyter.problems import Problem

__all__ = ["EXAMINERS", "Diagnosis", "Problem", "diagnose"]
