# make demo   run the main job on the embedded digits; ends by naming the report to open
# make test   lint, types, import rules and all tests
# Either makes the virtual environment when it is missing. Another Python: make test PYTHON=python3.12

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install -qq -c constraints.txt

# Tests run in two processes, so that each computes with one thread; numerical libraries would take all cores twice.
WORKERS ?= 2
ONE_THREAD := OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1

.PHONY: help demo test lint types imports tests format constraints clean
.NOTPARALLEL:

help:
	@sed -n 's/^# //p' Makefile | head -n 3

demo: $(VENV)/.installed
	@$(BIN)/coterie demo $(ARGS)

test: lint types imports tests

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.installed-dev
	$(BIN)/pyright --pythonpath $(BIN)/python

imports: $(VENV)/.installed-dev
	$(BIN)/lint-imports --no-cache

tests: $(VENV)/.installed-dev
	$(ONE_THREAD) $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal $(ARGS)

format: $(VENV)/.installed-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# After trying newer versions by hand: write down what is installed now.
constraints: $(VENV)/.installed-dev
	@{ sed -n '/^#/p' constraints.txt; $(BIN)/python -m pip freeze --exclude-editable | sed 's/+cpu$$//'; } > constraints.new
	@mv constraints.new constraints.txt

clean:
	rm -rf $(VENV) build dist .pytest_cache .ruff_cache .import_linter_cache .hypothesis

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null || { \
	  echo "coterie needs Python 3.11, 3.12 or 3.13, but $(PYTHON) is $$($(PYTHON) --version 2>/dev/null || echo missing)." \
	       "Name another: make PYTHON=python3.12" >&2; exit 1; }
	@echo "Making the virtual environment $(VENV) ..."
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }

$(VENV)/.installed: pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing coterie into $(VENV); the first time this takes a few minutes ..."
	@$(PIP) -e .
	@touch $@

$(VENV)/.installed-dev: pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing coterie and its development tools into $(VENV); the first time this takes a few minutes ..."
	@$(PIP) -e '.[dev]'
	@touch $(VENV)/.installed $@
