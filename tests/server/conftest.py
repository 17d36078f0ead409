"""Keeps pytest-jupyter's loop and servers to this folder: its fixtures apply to every test of the session otherwise."""

from pytest_jupyter.jupyter_server import *  # noqa: F403
