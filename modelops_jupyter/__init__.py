"""ModelOps for people who live in Jupyter."""

from modelops_jupyter._version import __version__

__all__ = ["__version__"]
