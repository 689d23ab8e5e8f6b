# Needs Python 3.11 or newer, git and make; everything else is installed into .venv.

.DEFAULT_GOAL := help
.SUFFIXES:
.PHONY: help setup demo check test test-rest test-all lint types regen bench bench-cli bench-extract clean

PYTHONS := python3.13 python3.12 python3.11 python3 python3.14
BIN := .venv/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check install --constraint constraints.txt
PYTEST := $(BIN)/python -m pytest --numprocesses=logical --dist=worksteal
ONLY_PYTHON := not service and not airflow and not package

help:  ## What there is to make
	@sed -n 's/^\([a-z-]*\):.*  ## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 18

setup: .venv/.test  ## Make .venv with all that the tests need

demo: .venv/.demo  ## See it work: a shop project, made, run and shown
	@$(BIN)/etlgen demo

check: lint types  ## The everyday loop: what takes less than two minutes
	$(PYTEST) -m "not slow and $(ONLY_PYTHON)"

test: .venv/.test  ## Every test that needs only Python
	$(PYTEST) -m "$(ONLY_PYTHON)"

test-rest: .venv/.test .venv/.airflow  ## What `make test` leaves out: Airflow, a PostgreSQL of the machine, packaging
	$(PYTEST) -m "not ($(ONLY_PYTHON))"

test-all: test test-rest  ## Every test

lint: .venv/.test  ## Style, and the direction of imports
	$(BIN)/ruff check .
	$(BIN)/black --quiet --check --diff .
	$(BIN)/black --config /dev/null --quiet --check --diff templates/runtime
	$(BIN)/lint-imports --no-logo

types: .venv/.test  ## mypy --strict
	$(BIN)/mypy

regen: .venv/.test  ## Write the golden projects and the generated docs anew; read the diff
	$(BIN)/python -m tests.golden.regen
	$(BIN)/python -m tests.docs.regen

bench: .venv/.test  ## How fast a generated project loads, beside psql's \copy
	$(BIN)/python -m benchmarks

bench-cli: .venv/.test  ## How fast etlgen is with one source and with a thousand
	$(BIN)/python -m benchmarks.generate

bench-extract: .venv/.bench  ## How fast a database's rows come over, beside other tools
	$(BIN)/python -m benchmarks.extract

clean:  ## Remove what was built
	rm -rf .venv dist build demo .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -prune -exec rm -rf {} +

.venv/.%: pyproject.toml constraints.txt | .venv/bin/pip
	@echo "Installing etlgen with '$*' into .venv (a minute or two)"
	@$(PIP) --editable '.[$*]'
	@touch $@

# The first Python that is new enough and can make a virtual environment.
.venv/bin/pip:
	@for python in $(PYTHONS); do \
	  $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue; \
	  new_enough=$$python; \
	  $$python -c 'import ensurepip, venv' 2>/dev/null || continue; \
	  echo "Making .venv with $$($$python --version)"; \
	  exec $$python -m venv --clear .venv; \
	done; \
	if [ -n "$$new_enough" ]; then \
	  version=$$($$new_enough -c 'import sys; print("%d.%d" % sys.version_info[:2])'); \
	  echo "Python $$version is here, but its venv module (ensurepip) is not." >&2; \
	  echo "On Debian and Ubuntu: apt install python3-venv (or python$$version-venv)" >&2; \
	else \
	  echo "Python 3.11 or newer is needed; none of these is: $(PYTHONS)" >&2; \
	fi; \
	exit 1
