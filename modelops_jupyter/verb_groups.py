"""The verbs as a person thinks of them: groups, in the order of a model's life, and the help text that shows them."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from modelops_jupyter.verb import Parser

# Of the shell alone: `start`, and `serve`, which runs until it is interrupted.
GROUPS: Mapping[str, tuple[str, ...]] = {
    "start": ("init", "demo", "dashboard", "restore"),
    "catalogue": ("status", "models", "versions", "version", "overview"),
    "register and judge": (
        *("register", "adopt", "evaluate", "compare"),
        *("gate", "check", "approve", "reject", "comment"),
    ),
    "score": ("predict", "serve"),
    "move": ("promote", "rollback", "reconcile"),
    "log": ("log-predictions", "log-labels"),
    "watch": (
        *("monitor", "watch", "compare-data", "distribution", "curves"),
        *("explain", "multivariate-drift", "backtest"),
    ),
    "incidents": (
        *("alerts", "incidents", "incident", "acknowledge", "assign", "resolve"),
        *("mute", "accept", "revoke", "deliver"),
    ),
    "run": ("run", "runs", "run-notebook", "notebook-parameters"),
    "record": (
        *("board", "card", "audit", "audit-head", "verify-audit", "doctor"),
        "backup",
    ),
}


class GroupedParser(Parser):
    """The parser above those of the verbs: its help lists them by group."""

    def format_help(self) -> str:
        """Return the help text."""
        formatter = self._get_formatter()
        formatter.add_usage(self.usage, self._actions, self._mutually_exclusive_groups)
        formatter.add_text(self.description)
        verbs = next(action for action in self._actions if isinstance(action, argparse._SubParsersAction))
        by_name = {action.dest: action for action in verbs._choices_actions}
        for title, names in GROUPS.items():
            formatter.start_section(title)
            formatter.add_arguments([by_name[name] for name in names if name in by_name])
            formatter.end_section()
        formatter.start_section("options")
        formatter.add_arguments([action for action in self._actions if action.option_strings])
        formatter.end_section()
        formatter.add_text(f"`{self.prog} VERB --help` lists the arguments of a verb.")
        return formatter.format_help()
