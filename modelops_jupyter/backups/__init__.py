"""A whole workspace in one file, made while others work in it; and put back from there."""

from modelops_jupyter.backups.making import Backup, back_up
from modelops_jupyter.backups.restoring import Restored, restore

__all__ = ["Backup", "Restored", "back_up", "restore"]
