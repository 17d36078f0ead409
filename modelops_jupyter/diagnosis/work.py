"""What processes have left: runs and registrations that nobody ends any more, notebooks, jobs of a server."""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Iterator
from pathlib import Path

import psutil

from modelops_jupyter import processes
from modelops_jupyter.diagnosis.evidence import Evidence
from modelops_jupyter.errors import JobDamaged
from modelops_jupyter.job_folders import JOB_ID, read_json, state_of
from modelops_jupyter.portable import absolute_path
from modelops_jupyter.problems import RESTORE, Problem, problem_at
from modelops_jupyter.wording import count


def examine_runs(evidence: Evidence, problems: list[Problem]) -> str:
    """Report runs, and registrations, of processes that are gone."""
    from modelops_jupyter.pipelines import lease

    home = os.path.realpath(evidence.settings.project)
    alive = {record.body["run_id"] for record in evidence.find("lease") if lease.is_alive(record.body, home)}
    runs = evidence.find("run")
    for record in runs:
        if record.body["state"] == "running" and record.body["run_id"] not in alive:
            what = f"this run of {record.body['pipeline']!r} has not ended, but its process is gone"
            fix = "run the pipeline with `modelops run PIPELINE --resume`, which goes on with it"
            problems.append(Problem(str(record.body["run_id"]), what, fix))
    for record in evidence.find("registration"):
        if processes.is_alive(record.body["process"]) is False:
            what = "a registration was not finished, and its process is gone"
            fix = "register any version of the model, which finishes it first"
            problems.append(Problem(record.subject, what, fix))
    return count(len(runs), "run")


def examine_notebooks(evidence: Evidence, problems: list[Problem]) -> str:
    """Report executed notebooks of each pipeline's newest run that are gone or torn, and notebooks left half way."""
    from modelops_jupyter.store import in_order

    newest = {record.subject: record.body for record in in_order(evidence.find("run"))}
    notebooks = 0
    for body in newest.values():
        for step in body["steps"]:
            if step["state"] == "completed":
                notebooks += 1
                path = Path(absolute_path(step["output"], evidence.settings.project))
                what = _torn(path)
                if what is not None:
                    where = f"the notebook of step {step['step']!r} in run {body['run_id']}"
                    fix = f"{RESTORE}, or run the pipeline {body['pipeline']!r} again"
                    problems.append(problem_at(path, f"{where} {what}", fix))
    for description in _left_half_way(evidence):
        what = "a notebook was running here, and its process is gone"
        problems.append(problem_at(description.parent, what, f"run `rm -r {shlex.quote(str(description.parent))}`"))
    return count(notebooks, "notebook")


def _torn(path: Path) -> str | None:
    """Return what is wrong with an executed notebook."""
    try:
        body = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return "is gone"
    except (OSError, ValueError) as error:
        return f"cannot be read ({error})"
    whole = isinstance(body, dict) and isinstance(body.get("cells"), list)
    return None if whole else "is not a notebook any more"


def _left_half_way(evidence: Evidence) -> Iterator[Path]:
    for folder in (evidence.settings.work_path, evidence.settings.runs_path):
        for description in sorted(folder.glob("*/*.job.json")):
            try:
                parent = int(json.loads(description.read_text(encoding="utf-8"))["parent"])
            except (OSError, ValueError, KeyError, TypeError):  # its process was ended while it wrote
                parent = 0
            if not psutil.pid_exists(parent):
                yield description


def examine_jobs(evidence: Evidence, problems: list[Problem]) -> str:
    """Report jobs of a server whose process is gone without an outcome, and those whose files cannot be read."""
    top = evidence.settings.root / "jobs"
    folders = sorted(path for path in top.glob("*") if JOB_ID.fullmatch(path.name) and path.is_dir())
    for folder in folders:
        fix = f"start it again if it is still wanted, and run `rm -r {shlex.quote(str(folder))}`"
        try:
            for name in ("job.json", "process.json", "outcome.json"):
                read_json(folder / name)
            events = folder / "events.jsonl"
            lines = events.read_text(encoding="utf-8").split("\n")[:-1] if events.exists() else []
            for line in lines:
                json.loads(line)
            state = state_of(folder)
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError, JobDamaged) as error:
            problems.append(problem_at(folder, f"this job cannot be read ({error})", fix))
            continue
        if state == "interrupted":
            problems.append(problem_at(folder, "this job has no outcome, and its process is gone", fix))
    return count(len(folders), "job")
