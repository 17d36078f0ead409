"""The prediction log: every table, byte for byte, and the batches that did not fit it."""

from __future__ import annotations

from modelops_jupyter.diagnosis.evidence import Evidence
from modelops_jupyter.problems import Problem, problem_at
from modelops_jupyter.wording import count


def examine_log(evidence: Evidence, problems: list[Problem]) -> str:
    """Report tables that are gone, cannot be read, lack rows, or whose bytes are not those that were written."""
    recorded = {(str(r.body["model"]), str(r.body["table"])) for r in evidence.find("log")}
    top = evidence.settings.log_path
    if not recorded and not top.is_dir():
        return "none yet"
    from modelops_jupyter.log import TABLES, table_problems

    present = {(path.parent.name, path.name) for name in TABLES for path in top.glob(f"*/{name}")}
    for model, table in sorted(recorded | present):
        path = top / model / table
        if (model, table) in recorded and not path.is_dir():
            problems.append(problem_at(path, "it is gone, but rows were written there"))
        else:
            problems += table_problems(path)
    return count(len(recorded | present), "table")


def examine_quarantine(evidence: Evidence, problems: list[Problem]) -> str:
    """Report batches in quarantine that were changed, or that nothing describes."""
    top = evidence.settings.log_path
    if not any(top.glob("*/quarantine")):
        return "empty"
    from modelops_jupyter.log import quarantine_problems, read_quarantine

    problems += quarantine_problems(top)
    return count(len(read_quarantine(top)), "batch", "batches")
