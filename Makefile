# Every target sets up what it needs in .venv, and changes nothing outside the checkout.

PYTHON ?= python3
VENV ?= .venv
RUN = $(VENV)/bin/python
PIP = $(RUN) -m pip install --quiet --disable-pip-version-check
# Stamp files: what training needs; the packages of exports, tests, linters, documentation.
READY = $(VENV)/.ready
EXPORT_READY = $(VENV)/.ready-export
TEST_READY = $(VENV)/.ready-test
LINT_READY = $(VENV)/.ready-lint
DOCS_READY = $(VENV)/.ready-docs
# The libraries of the explorer's page, and the linters of its code; from npm.
PAGE_READY = explorer/node_modules/.ready
PAGE_LINT_READY = explorer/node_modules/.ready-lint
NPM := $(shell command -v npm)
NPM_CI = npm ci --prefix explorer --ignore-scripts --no-audit --no-fund --silent
# Everything that is trained, rendered or decoded.
RUNS ?= runs
EMBEDDED = --data_dir=$(RUNS)/data --workdir=$(RUNS) --workers=2

# TensorFlow is a thousand files: a program that may keep their bytecode starts in half
# the time. pip compiles none; Python does so for the few files that it imports.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup reproduce explorer test test-jax thorough tables lint lint-page types \
	docs clean

help:
	@echo "make reproduce  train and print Tables 6 and 7 on the embedded data set"
	@echo "make explorer   serve a page that compares the networks of all records and runs them"
	@echo "make test       run the tests"
	@echo "make test-jax   run the tests of networks and training with the JAX backend"
	@echo "make thorough   run the tests, those that take long included"
	@echo "make tables     render all tables and figures from the records"
	@echo "make lint       check format, style and types"
	@echo "make docs       build the documentation site in build/site"
	@echo "make setup      install everything that the other targets need"

setup: $(READY) $(TEST_READY) $(LINT_READY) $(DOCS_READY)

$(READY): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14) and \
		"mobilenet_tf needs Python 3.11, 3.12 or 3.13; set PYTHON=python3.x")'
	test -x $(RUN) || $(PYTHON) -m venv $(VENV)
	$(PIP) --no-compile --editable '.[pinned,experiments,cluster]'
	@touch $@

$(EXPORT_READY): $(READY)
	$(PIP) --no-compile --editable '.[pinned,experiments,export]'
	@touch $@

$(TEST_READY): $(READY)
	$(PIP) --no-compile --editable '.[pinned,experiments,test]'
	$(PIP) --no-compile --no-deps tensorflow-model-optimization==0.8.0
	@touch $@

$(LINT_READY): $(READY)
	$(PIP) --no-compile --editable '.[pinned,dev]'
	@touch $@

$(DOCS_READY): $(READY)
	$(PIP) --no-compile --editable '.[pinned,docs]'
	@touch $@

reproduce: $(READY)
	$(RUN) -m experiments.reproduce $(EMBEDDED)

# The page's own libraries come from npm; the networks it runs from $(RUNS).
explorer: $(EXPORT_READY) $(PAGE_READY)
	$(RUN) -m experiments.explorer --workdir=$(RUNS) --data_dir=$(RUNS)/data

$(PAGE_READY): explorer/package-lock.json
	@command -v npm >/dev/null || { echo "make explorer needs npm, which comes with \
	Node.js: apt-get install npm" >&2; exit 1; }
	$(NPM_CI) --omit=dev
	@touch $@

$(PAGE_LINT_READY): explorer/package-lock.json
	$(NPM_CI)
	@touch $(PAGE_READY) $@

# Without npm or a Chromium the tests of the page are skipped.
test: $(TEST_READY) $(if $(NPM),$(PAGE_READY))
	$(RUN) -m pytest --numprocesses=2 --dist=worksteal

test-jax: $(TEST_READY)
	KERAS_BACKEND=jax $(RUN) -m pytest -m 'any_backend or jax' tests/test_mobilenet.py \
		tests/test_blocks.py tests/test_squeezenet.py tests/test_authors_weights.py \
		tests/test_timm_weights.py tests/test_experiment.py \
		tests/test_training_over_hosts.py tests/test_distributed_training.py

thorough: $(TEST_READY)
	$(RUN) -m pytest --numprocesses=2 --dist=worksteal --thorough

tables: $(READY)
	$(RUN) -m experiments

lint: $(LINT_READY) types $(if $(NPM),lint-page)
	$(RUN) -m ruff format --check .
	$(RUN) -m ruff check .

lint-page: $(PAGE_LINT_READY)
	npm run lint --prefix explorer --silent

types: $(LINT_READY)
	$(RUN) -m mypy

docs: $(DOCS_READY)
	NO_MKDOCS_2_WARNING=1 $(RUN) -m mkdocs build --strict --quiet

clean:
	rm -rf $(VENV) build *.egg-info explorer/node_modules
