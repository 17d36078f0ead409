"""Mergeable summaries of windows, and the binning that makes them add up."""

from modelops_jupyter.profiles.binning import Binning, ColumnBinning
from modelops_jupyter.profiles.column import ColumnProfile, UnseenCategory
from modelops_jupyter.profiles.derived import with_derived
from modelops_jupyter.profiles.groups import Groups
from modelops_jupyter.profiles.outcomes import CERTAIN_SCORE, LEAST_LIKELIHOOD, Outcomes, labelled_from_dict
from modelops_jupyter.profiles.profile import Counts, Profile, Reference, merge, segments_from_dict, segments_to_dict
from modelops_jupyter.profiles.reference import build_reference
from modelops_jupyter.profiles.runs import Runs
from modelops_jupyter.profiles.sampling import Sample
from modelops_jupyter.profiles.scan import GroupedRows, Tally, scan
from modelops_jupyter.profiles.score_cells import ScoreCells
from modelops_jupyter.profiles.segments import Slicing, slicings
from modelops_jupyter.profiles.threads import counting_threads
from modelops_jupyter.profiles.windows import time_of, window_length, window_start

__all__ = [
    "CERTAIN_SCORE",
    "LEAST_LIKELIHOOD",
    "Binning",
    "ColumnBinning",
    "ColumnProfile",
    "Counts",
    "GroupedRows",
    "Groups",
    "Outcomes",
    "Profile",
    "Reference",
    "Runs",
    "Sample",
    "ScoreCells",
    "Slicing",
    "Tally",
    "UnseenCategory",
    "build_reference",
    "counting_threads",
    "labelled_from_dict",
    "merge",
    "scan",
    "segments_from_dict",
    "segments_to_dict",
    "slicings",
    "time_of",
    "window_length",
    "window_start",
    "with_derived",
]
