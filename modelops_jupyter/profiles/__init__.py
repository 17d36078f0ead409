"""Mergeable summaries of windows, and the binning that makes them add up."""

from modelops_jupyter.profiles.binning import Binning, ColumnBinning
from modelops_jupyter.profiles.profile import ColumnProfile, Profile, Reference, ScoreTable, merge
from modelops_jupyter.profiles.scan import build_reference, scan, window_length, window_start

__all__ = [
    "Binning",
    "ColumnBinning",
    "ColumnProfile",
    "Profile",
    "Reference",
    "ScoreTable",
    "build_reference",
    "merge",
    "scan",
    "window_length",
    "window_start",
]
