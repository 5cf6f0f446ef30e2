# rankwise: `make demo` runs the main job, `make test` everything that must hold.
# Both create .venv and install the exact versions of constraints.txt; nothing is needed but Python >= 3.11.
# PyPI's torch for Linux brings its GPU libraries. Without a GPU, this saves gigabytes:
#     PIP_EXTRA_INDEX_URL=https://download.pytorch.org/whl/cpu make test

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet -c constraints.txt

.PHONY: demo test lint format bench install clean
.DEFAULT_GOAL := test

demo: install
	$(BIN)/rankwise demo
	$(BIN)/rankwise timeline --demo --overwrite --out out/demo/timeline.html

test: lint
	$(BIN)/python -m pytest -n auto

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: install
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: install
	$(BIN)/python benchmarks/step.py

install: $(VENV)/.installed

# Done again only when the package's needs change; the stamp is written last, so a broken install is repeated.
$(VENV)/.installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "rankwise needs Python 3.11 or newer; name one: make PYTHON=python3.12 test"; exit 1; }
	test -x $(BIN)/pip || $(PYTHON) -m venv $(VENV)
	$(PIP) torch
	$(PIP) -e '.[dev]'
	touch $@

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
