"""The store: its file, its records, its audit chain."""

from __future__ import annotations

from modelops_jupyter.diagnosis.evidence import Evidence
from modelops_jupyter.problems import RESTORE, Problem, problem_at
from modelops_jupyter.wording import count


def examine_store(evidence: Evidence, problems: list[Problem]) -> str:
    """Report a store that is gone or damaged, records that are not as written, and a chain that does not hold."""
    from modelops_jupyter.store import verify

    settings = evidence.settings
    path = settings.store_path
    if not path.exists():
        kept = next((folder for folder in (settings.artifacts_path, settings.log_path) if folder.exists()), None)
        if kept is not None:
            what = f"it is gone, but {evidence.shown(kept)} is there, which it keeps record of"
            problems.append(problem_at(path, what))
        return "none yet"
    problems += evidence.store_problems
    if evidence.store is None:
        return "not readable"
    chain = verify(evidence.store)
    if not chain.ok:
        what = f"the audit chain is broken at entry {chain.first_bad}: {chain.reason}".rstrip(".")
        problems.append(problem_at(path, what, f"find out who changed the file, and {RESTORE}"))
    return f"{count(chain.entries, 'audit entry', 'audit entries')}"
