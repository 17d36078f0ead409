"""Voila in a process of its own: ``python -m modelops_jupyter.dashboards.voila_process``, with Voila's arguments."""

from __future__ import annotations

from modelops_jupyter import processes


def main() -> None:
    """Run Voila until it is ended."""
    processes.skip_grammar()
    from voila.app import main as run

    run()


if __name__ == "__main__":
    main()
