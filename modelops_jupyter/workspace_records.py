"""What is on record, and whether it is whole: verbs of a `Workspace`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from modelops_jupyter.actions import catalogue
from modelops_jupyter.actions.board import read_board
from modelops_jupyter.foundations import Foundations
from modelops_jupyter.listing import Listing
from modelops_jupyter.refs import ModelReference

if TYPE_CHECKING:
    from modelops_jupyter.actions.board import Board
    from modelops_jupyter.backups import Backup
    from modelops_jupyter.choices import AuditKind
    from modelops_jupyter.diagnosis import Diagnosis
    from modelops_jupyter.governance import ModelCard
    from modelops_jupyter.store import AuditHead, AuditVerification


class RecordVerbs(Foundations):
    """What a workspace says of its records and files."""

    def board(self) -> Board:
        """Return where decisions stand: what waits for whom, what serves and who let it, what was decided last."""
        return read_board(self.known, self.policy)

    def audit(self, name: str | None = None, *, kind: AuditKind | None = None, limit: int | None = None) -> Listing:
        """Return the audit chain, newest first: all of it, or the entries of a model, or of one kind.

        Parameters
        ----------
        kind
            ``decision``, ``move``, ``version``, ``incident``, ``monitor``, ``run`` or ``other``.
        """
        return catalogue.audit(self.known, name, kind, limit)

    def audit_head(self) -> AuditHead:
        """Return where the audit chain ends: kept elsewhere, it shows later that nothing before it was written anew."""
        return catalogue.audit_head(self.known)

    def verify_audit(self, head: str | os.PathLike[str] | None = None) -> AuditVerification:
        """Recompute the audit chain and hold what serves against it; the answer names the first bad entry.

        Parameters
        ----------
        head
            A file with a head that was exported (`audit_head`, or a webhook's body): a chain that was written anew,
            or a database that was restored to before it, does not lead on from there.
        """
        return catalogue.verify_audit(self.store, head)

    def card(self, version: str | ModelReference) -> ModelCard:
        """Return the model card of a version."""
        return catalogue.card(self.known, version)

    def backup(self, output: str | os.PathLike[str]) -> Backup:
        """Write the whole workspace to one new file while others work in it: what `mo.restore` puts back.

        Settings, records, MLflow's database, models' files, the log and executed notebooks; each with its digest.
        """
        from modelops_jupyter.backups import back_up

        return back_up(self.settings, output)

    def doctor(self) -> Diagnosis:
        """Look at every part of the workspace at rest: what is wrong, where, and what fixes it. Nothing is changed.

        Files of versions and of the log are compared byte for byte with what was written; the store, its audit chain,
        MLflow's database, runs, notebooks, jobs, settings, permissions and the disk are looked at, each on its own.
        """
        from modelops_jupyter.diagnosis import diagnose

        return diagnose(self.settings)
