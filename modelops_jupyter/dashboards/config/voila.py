"""What `modelops dashboard` tells Voila; read by Voila itself, never imported."""

import os
from hashlib import sha256

from modelops_jupyter.dashboards import hooks

c = get_config()  # type: ignore[name-defined]  # noqa: F821

# The token leaves the environment here: kernels inherit what is left.
c.Voila.token = os.environ.pop("MODELOPS_DASHBOARD_TOKEN")
c.Voila.identity_provider_class = hooks.Doorkeeper
# Its own: behind a proxy, Jupyter's cookie would come with the same name, and be taken for this one.
c.Doorkeeper.cookie_name = f"modelops-dashboard-{sha256(c.Voila.token.encode()).hexdigest()[:8]}"
c.Voila.open_browser = False
c.Voila.port_retries = 0
c.Voila.log_level = "WARN"
c.Voila.tornado_settings = {"log_function": hooks.log_request}

c.VoilaConfiguration.template = "modelops"
c.VoilaConfiguration.allow_template_override = "NO"
c.VoilaConfiguration.allow_theme_override = "NO"
c.VoilaConfiguration.classic_tree = True
c.VoilaConfiguration.strip_sources = True
c.VoilaConfiguration.show_tracebacks = False
# Pages wait for their reader with everything imported; which model is meant comes from the browser afterwards.
c.VoilaConfiguration.preheat_kernel = True
c.VoilaConfiguration.multi_kernel_manager_class = hooks.Kernels
c.VoilaKernelManager.kernel_pools_config = {
    "fleet.ipynb": {"pool_size": 1},
    "model.ipynb": {"pool_size": 1},
    "default": {"pool_size": 0},
}
c.VoilaKernelManager.fill_delay = 3  # the next reader's kernel starts once this one's page is there
c.VoilaConfiguration.file_allowlist = []
# Voila's own manager of ipywidgets 8, and the widgets themselves. plotly's 5 MB stay out: these pages draw SVG.
c.VoilaConfiguration.extension_allowlist = [
    "@voila-dashboards/widgets-manager8",
    "@jupyter-widgets/jupyterlab-manager",
    "anywidget",
]
c.VoilaConfiguration.extension_denylist = ["modelops-jupyter"]

idle = int(os.environ["MODELOPS_DASHBOARD_IDLE"])
c.MappingKernelManager.cull_idle_timeout = idle
c.MappingKernelManager.cull_interval = max(1, min(15, idle // 4))
c.MappingKernelManager.cull_connected = True

hooks.hide_tokens()
hooks.end_with_launcher()
