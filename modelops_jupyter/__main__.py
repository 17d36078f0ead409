"""``python -m modelops_jupyter`` is the command ``modelops``."""

from __future__ import annotations

import sys

from modelops_jupyter.cli import main

if __name__ == "__main__":
    sys.exit(main())
