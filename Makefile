# The contributor's guide is `make help`. Everything stays inside the checkout: .venv, .cache and the tools' caches.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS += --no-builtin-rules

VENV := .venv
JOBS := 2
PARALLEL := -n $(JOBS) --dist loadfile
RUN := $(VENV)/bin/python -m
MODELPORT := $(VENV)/bin/modelport
STAMP := $(VENV)/.stamp
LOCK := pyproject.toml uv.lock tests/setup/venv.sh tests/setup/common.sh
# Set-up scripts read PYTHON; pyright keeps its program here and not in the home directory.
export PYTHON
export PYRIGHT_PYTHON_CACHE_DIR := $(CURDIR)/.cache/pyright
export PYRIGHT_PYTHON_IGNORE_WARNINGS := 1

.PHONY: help
help: ## print this list
	@echo 'make TARGET [PYTHON=python3.12]      (a bare checkout is enough: each target sets up what it needs)'
	@echo
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: $(STAMP)-demo ## train, deploy, call and watch a real model on the local sandbox; writes demo-output/report.html
	@$(MODELPORT) demo --output demo-output $(ARGS)

.PHONY: test
test: setup-test ## run the tests; less than ten minutes. One file: make test ARGS=tests/unit/test_layers.py
	@$(RUN) pytest -m 'not slow' $(PARALLEL) $(ARGS)

.PHONY: test-full
test-full: setup-test ## run the slow tests too, on every supported Python that is on this machine
	@$(RUN) pytest $(PARALLEL) $(ARGS)
	@tests/setup/matrix.sh $(PARALLEL) $(ARGS)

.PHONY: check
check: setup ## lint, format, types, and whether generated files are fresh; changes nothing
	@tests/setup/check.sh

.PHONY: format
format: setup ## put the code in the house format and apply the linter's safe repairs
	@$(RUN) ruff check --fix-only --quiet . && $(RUN) ruff format .

.PHONY: generate
generate: setup ## rewrite what is derived: generated/ from openapi/, docs/cli.md from the commands
	@$(MODELPORT) generate $(ARGS)
	@$(RUN) modelport.cli._reference docs/cli.md

.PHONY: bench
bench: setup ## measure against the project's bars; prints the ratios. One: make bench ARGS=import
	@$(RUN) tests.bench.run $(ARGS)

.PHONY: bench-peers
bench-peers: setup ## the same for monitoring beside other projects; some minutes. One: make bench-peers ARGS=loop
	@tests/setup/peers.sh boxkite evidently nannyml opentelemetry whylogs
	@$(RUN) tests.bench.peers.run $(ARGS)

.PHONY: setup
setup: $(STAMP)-dev ## virtual environment with every extra, the linters and the test tools

.PHONY: setup-test
setup-test: setup ## also what the tests drive: Chromium, Java, Prometheus, peers (says what it could not install)
	@tests/setup/node.sh
	@tests/setup/debian.sh
	@tests/setup/prometheus.sh
	@tests/setup/peers.sh boxkite guide001 web

.PHONY: clean
clean: ## remove caches and what the targets wrote; keeps .venv
	@rm -rf .cache .mypy_cache .pytest_cache .ruff_cache .hypothesis .schemathesis build dist demo-output
	@find overlays generated tools tests -name __pycache__ -type d -prune -exec rm -rf {} +

.PHONY: distclean
distclean: clean ## remove .venv as well
	@rm -rf $(VENV)

$(STAMP)-demo: $(LOCK)
	@tests/setup/venv.sh demo
	@touch $@

# Everything in the demo's environment is in this one too, hence both stamps.
$(STAMP)-dev: $(LOCK)
	@tests/setup/venv.sh dev
	@touch $@ $(STAMP)-demo
