"""A closer look at one model: curves of some of its windows, computed of profiles when somebody asks."""

from __future__ import annotations

from functools import reduce
from operator import add
from typing import TYPE_CHECKING

from modelops_jupyter.errors import NotFound
from modelops_jupyter.overview import RECENT_WINDOWS
from modelops_jupyter.refs import check_name
from modelops_jupyter.versions import version_key

if TYPE_CHECKING:
    from modelops_jupyter.monitoring.curves import PerformanceCurves
    from modelops_jupyter.store import Store


def read_curves(store: Store, name: str, window: str | None = None, every: str = "1D") -> PerformanceCurves:
    """Return calibration and other curves of one window, or of the last 30 that the same version served.

    Parameters
    ----------
    window
        Start of the window, ISO text in UTC.

    Raises
    ------
    NotFound
        If the model was never monitored, or has no such window.
    """
    from modelops_jupyter.monitoring.curves import performance_curves
    from modelops_jupyter.profiles import Profile, Reference

    check_name(name)
    keys = [
        record.key
        for record in store.find("window", name)
        if record.key.startswith(f"{name}/{every}/") and not record.body.get("segment")
    ]
    wanted = [f"{name}/{every}/{window}"] if window else keys[-RECENT_WINDOWS:]
    profiles = [Profile.from_dict(r.body) for key in wanted if (r := store.get("profile", key)) is not None]
    if not profiles:
        since = f" from {window}" if window else ""
        raise NotFound(f"{name!r} has no monitored window{since}: run `modelops monitor`.")
    version = profiles[-1].served or 0
    known = store.get("reference", version_key(name, version))
    if known is None:
        raise NotFound(f"{name}/{version} has no reference to compare with.")
    same = [profile for profile in profiles if profile.served == version]
    return performance_curves(reduce(add, same), Reference.from_dict(known.body).binning)
