"""Mergeable summaries of windows, and the binning that makes them add up."""

from modelops_jupyter.profiles.binning import Binning, ColumnBinning
from modelops_jupyter.profiles.column import ColumnProfile, UnseenCategory
from modelops_jupyter.profiles.outcomes import Outcomes
from modelops_jupyter.profiles.profile import Profile, Reference, merge
from modelops_jupyter.profiles.reference import build_reference
from modelops_jupyter.profiles.scan import scan
from modelops_jupyter.profiles.windows import window_length, window_start

__all__ = [
    "Binning",
    "ColumnBinning",
    "ColumnProfile",
    "Outcomes",
    "Profile",
    "Reference",
    "UnseenCategory",
    "build_reference",
    "merge",
    "scan",
    "window_length",
    "window_start",
]
