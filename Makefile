# Each target prints the plain commands it runs.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

.PHONY: demo test lint build clean

$(VENV)/installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet -e ".[dev]"
	touch $@

# SERVE=0 ends when the story is told; without it the dashboard stays up until Ctrl-C.
demo: $(VENV)/installed
	$(BIN)/modelops demo demo $(if $(filter 0,$(SERVE)),--no-dashboard)

test: $(VENV)/installed
	$(BIN)/python -m pytest
	$(BIN)/python -m pytest -m demo

lint: $(VENV)/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

build: $(VENV)/installed
	$(BIN)/python -m build --wheel

clean:
	rm -rf $(VENV) dist
