# `make reproduce` and `make test` set up everything they need in .venv and nothing else.

PYTHON ?= python3
VENV ?= .venv
RUN = $(VENV)/bin/python
PIP = $(RUN) -m pip install --quiet --disable-pip-version-check
READY = $(VENV)/.ready
# Everything that is trained, rendered or decoded.
RUNS ?= runs
# 1x1 convolutions in bfloat16 where the processor multiplies it, which is faster there.
PRECISION ?= $(shell grep -qsw avx512_bf16 /proc/cpuinfo && \
	echo pointwise_bfloat16 || echo float32)
EMBEDDED = --data_dir=$(RUNS)/data --workdir=$(RUNS) --seeds=2 --workers=2 \
	--precision=$(PRECISION)

.PHONY: help setup reproduce test thorough tables lint clean

help:
	@echo "make reproduce  train and print Tables 6 and 7 on the embedded data set"
	@echo "make test       run the tests"
	@echo "make thorough   run the tests that take long too"
	@echo "make tables     render all tables and figures from the records"
	@echo "make lint       check format and style"

setup: $(READY)

$(READY): setup.py
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14) and \
		"mobilenet_tf needs Python 3.11, 3.12 or 3.13; set PYTHON=python3.x")'
	$(PYTHON) -m venv $(VENV)
	$(PIP) --editable '.[pinned,test]'
	$(PIP) --no-deps tensorflow-model-optimization==0.8.0
	@touch $@

reproduce: $(READY)
	$(RUN) -m experiments.width_multiplier $(EMBEDDED)
	$(RUN) -m experiments.resolution_multiplier $(EMBEDDED)

test: $(READY)
	$(RUN) -m pytest --numprocesses=2 --dist=worksteal

thorough: $(READY)
	$(RUN) -m pytest --numprocesses=2 --dist=worksteal --thorough

tables: $(READY)
	$(RUN) -m experiments

lint: $(READY)
	$(PIP) '.[dev]'
	$(RUN) -m ruff format --check .
	$(RUN) -m ruff check .

clean:
	rm -rf $(VENV) build *.egg-info
