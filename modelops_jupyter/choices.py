"""Closed sets of words that callers choose from: in signatures for editors, in REST as enumerations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args

Role = Literal["served", "shadow", "canary"]
WindowLength = Literal["1h", "1D", "1W"]
InvalidRows = Literal["refuse", "mark", "allow"]
ModelKind = Literal["ml", "decision"]
FailOn = Literal["alert"]
AlertState = Literal["open", "recovered", "superseded"]
IncidentState = Literal["open", "acknowledged", "resolved", "recovered", "superseded"]
AuditKind = Literal["decision", "move", "version", "incident", "monitor", "run", "other"]

# By the name that a signature has them under.
CHOICES: Mapping[str, tuple[str, ...]] = {
    "Role": get_args(Role),
    "WindowLength": get_args(WindowLength),
    "InvalidRows": get_args(InvalidRows),
    "ModelKind": get_args(ModelKind),
    "FailOn": get_args(FailOn),
    "AlertState": get_args(AlertState),
    "IncidentState": get_args(IncidentState),
    "AuditKind": get_args(AuditKind),
}
