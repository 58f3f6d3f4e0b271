# Every target sets up .venv by itself; once that is done it costs nothing.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
RUN := $(VENV)/bin/python
STAMP := $(VENV)/.installed
BENCH_STAMP := $(VENV)/.installed-bench
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: all demo test lint format bench clean

all: test

$(RUN):
	$(PYTHON) -c 'import sys; sys.exit("filar needs Python 3.11 or later: make PYTHON=/path/to/python3.11" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)

$(STAMP): pyproject.toml constraints.txt | $(RUN)
	$(RUN) -m pip install --quiet -c constraints.txt -e '.[test,lint]'
	@touch $@

$(BENCH_STAMP): $(STAMP)
	$(RUN) -m pip install --quiet -c constraints.txt -e '.[bench]'
	@touch $@

demo: $(STAMP)
	$(VENV)/bin/filar demo --output demo

test: $(STAMP)
	OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(RUN) -m pytest -n auto --dist loadfile

lint: $(STAMP)
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy

format: $(STAMP)
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .

bench: $(BENCH_STAMP)
	@set -e; for script in $$(grep -l __main__ benchmarks/*.py); do \
		name=$$(basename $$script .py); echo "== $$name"; $(RUN) -m benchmarks.$$name; done

clean:
	rm -rf $(VENV) demo build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
