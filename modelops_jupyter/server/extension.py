"""The Jupyter server extension: which workspace is served, and under which addresses."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from jupyter_server.extension.application import ExtensionApp
from traitlets import Int, Unicode

from modelops_jupyter.server.answers import ANSWERS
from modelops_jupyter.server.dashboard import DashboardServer
from modelops_jupyter.server.handlers import handlers_for
from modelops_jupyter.server.kept import Kept
from modelops_jupyter.server.routes import routes


class ModelOpsExtension(ExtensionApp):
    """Serve a workspace to whoever the Jupyter server lets in."""

    name = "modelops_jupyter"
    extension_url = "/lab"
    load_other_extensions = True

    workspace = Unicode(
        "",
        help="Folder or modelops.toml of the workspace; empty means MODELOPS_WORKSPACE, else the server's root folder.",
        config=True,
    )

    most_jobs = Int(4, min=1, help="How many jobs (pipelines, monitors, comparisons) may run at once.", config=True)

    def project(self) -> Path:
        """Return where the served workspace is looked for."""
        return Path(self.workspace or os.environ.get("MODELOPS_WORKSPACE") or self.serverapp.root_dir)

    def initialize_handlers(self) -> None:
        """Add the routes; the workspace itself is opened by the first request that needs it."""
        root = Path(self.serverapp.root_dir)
        self.kept, self.dashboard = Kept(), DashboardServer()
        own = {"most_jobs": self.most_jobs, "kept": self.kept, "dashboard": self.dashboard}
        self.handlers.extend(handlers_for(routes(), ANSWERS, project=self.project(), root=root, **own))

    async def stop_extension(self) -> None:
        """Release the store, and end the dashboards."""
        self.kept.close()
        await asyncio.to_thread(self.dashboard.close)
