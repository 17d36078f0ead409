"""The threads that count columns: one per core, started once everything they use is imported."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager

from modelops_jupyter.imports import import_ahead

FOR_NUMBERS = ("numpy.ma",)  # `numpy.unique` looks whether it is given a masked array
# The texts that a reference lacks are sampled by pandas' hashes, and Arrow hands them over by modules of its own: it
# looks at the version of pandas, too, before it takes an array of NumPy's.
# Characters of texts are counted as UTF-32, whose codec Python imports where it is first asked for.
# Columns of numbers need neither: a file of numbers alone is compared before pandas would be imported.
FOR_TEXTS = (
    *FOR_NUMBERS,
    "pandas.util",
    "pyarrow.pandas_compat",
    "pyarrow.vendored.version",
    "encodings.utf_32_le",
)


@contextmanager
def counting_threads(*, texts: bool, purpose: str) -> Iterator[Executor]:
    """Start a thread per core to count columns in, and end them afterwards.

    Parameters
    ----------
    texts
        Whether a column of texts is among them.
    purpose
        The end of the threads' names, which debuggers show.
    """
    import_ahead(FOR_TEXTS if texts else FOR_NUMBERS)
    with ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix=f"modelops-{purpose}") as pool:
        yield pool
