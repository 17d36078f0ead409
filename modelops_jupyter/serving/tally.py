"""How many requests of each model were scored, referred and refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass
class Tally:
    """Counts of one model since the server started; only the event loop changes them.

    Attributes
    ----------
    requests, rows : int
        Answered with predictions.
    referred : int
        Rows among them that break the contract: scored, and a person should look.
    refused : int
        Requests that were answered with a 4xx.
    """

    requests: int = 0
    rows: int = 0
    referred: int = 0
    refused: int = 0

    def to_dict(self) -> Mapping[str, Any]:
        """Return the counts, and the share of rows that was referred."""
        share = self.referred / self.rows if self.rows else None
        return {**vars(self), "referred_share": share}
