# Everything sets itself up: Python 3.11, git, make and a package registry are enough.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
PYTHON_READY := $(VENV)/.ready
# What the pages load in a browser; .package-lock.json is what npm leaves when it is done.
PAGES_READY := node_modules/.package-lock.json
READY := $(PYTHON_READY) $(PAGES_READY)
# One process a core; two cores are what the tests are cut for.
TEST_PROCESSES ?= 2

TORTURE_MINUTES ?= 20

.PHONY: help setup demo test test-lake torture prove-lake lint bench bench-quick cluster-demo generate lock audit-dependencies clean

help:
	@echo "make demo      set up, land two tenants, publish their star schemas, print a key"
	@echo "make cluster-demo  set up, start PostgreSQL and an object store here, three workers, two servers"
	@echo "make test      set up, run all tests"
	@echo "make test-lake set up, run the tests that need a warehouse with their projects on lakes"
	@echo "make prove-lake  eight processes on one lake, and faults in mid-run, in minutes"
	@echo "make torture   set up, kill, race and attack it for 20 minutes; see CONTRIBUTING.md"
	@echo "make lint      set up, check style, types and generated files"
	@echo "make bench     set up, run all benchmarks beside their baselines, write docs/performance.md"
	@echo "make bench-quick  set up, run most of them small, in under 3 minutes"
	@echo "make generate  publish new contract shapes, write all generated files"
	@echo "make lock      resolve the dependencies anew into requirements.lock"
	@echo "make audit-dependencies  ask PyPI's and npm's advisories about each of them"
	@echo "make clean     remove the environment and all local state"

setup: $(READY)

$(PYTHON_READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; v == (3, 11) or sys.exit("Martlet needs Python 3.11, and $(PYTHON) is %d.%d: set PYTHON=/path/to/python3.11" % v)'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --require-hashes --no-deps -r requirements.lock
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

# Where the machine has no npm, a wheel brings it.
$(PAGES_READY): package.json package-lock.json requirements-node.lock | $(PYTHON_READY)
	@command -v npm >/dev/null || test -x $(BIN)/npm || \
		$(BIN)/python -m pip install -qq --disable-pip-version-check --require-hashes --no-deps -r requirements-node.lock
	@PATH="$$PATH:$(CURDIR)/$(BIN)" npm ci --silent --no-audit --no-fund --ignore-scripts
	@touch $@

demo: $(READY)
	@$(BIN)/martlet demo

cluster-demo: $(READY)
	@$(BIN)/python bench/cluster_demo.py

test: $(READY)
	@$(BIN)/python -m pytest -n $(TEST_PROCESSES) --dist loadfile

# What says something of the files of the target duckdb skips itself, and says why.
test-lake: $(READY)
	@MARTLET_TEST_TARGET=ducklake $(BIN)/python -m pytest -n $(TEST_PROCESSES) --dist loadfile -rs \
		tests/warehouse tests/connectors tests/reliability tests/lake/test_same_connectors.py

# As root with network namespaces, or else by stopping servers.
prove-lake: $(READY)
	@$(BIN)/python -m pytest -m proof tests/lake

# What it found once more: TORTURE="--seed 7 --only kills --start 12"
torture: $(READY)
	@PYTHONPATH=. $(BIN)/python -m tests.torture --minutes $(TORTURE_MINUTES) $(TORTURE)

lint: $(READY)
	@$(BIN)/ruff check src scripts tests bench docs/examples
	@$(BIN)/ruff format --check src scripts tests bench docs/examples
	@$(BIN)/mypy
	@$(BIN)/martlet generate --check

# Each beside its baselines; --only, --scale and others: $(BIN)/python bench/run.py --help
bench: $(READY)
	@$(BIN)/python bench/run.py --keep

bench-quick: $(READY)
	@$(BIN)/python bench/run.py --quick

generate: $(READY)
	@$(BIN)/martlet generate

lock:
	@test -x $(BIN)/uv || (test -x $(BIN)/python || $(PYTHON) -m venv $(VENV); $(BIN)/python -m pip install --quiet uv)
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
		--no-emit-index-url --no-annotate --group dev --extra lake \
		pyproject.toml --output-file requirements.lock

# In an environment of its own: what checks the lock is no part of it. Unanswered is not clean.
audit-dependencies:
	@test -x .audit/bin/pip-audit || { $(PYTHON) -m venv .audit && .audit/bin/python -m pip install --quiet pip-audit; }
	@.audit/bin/pip-audit --strict --require-hashes --disable-pip --requirement requirements.lock
	@npm audit --audit-level=moderate

clean:
	@rm -rf $(VENV) .audit node_modules data target logs .pytest_cache .mypy_cache .ruff_cache .hypothesis
