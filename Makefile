# Praxis. `make` alone lists what there is.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
UV := $(BIN)/python praxis/runtime/tooling/bootstrap.py
TOOL := $(BIN)/python -m praxis.runtime.tooling
export UV_NO_PROGRESS ?= 1

##@ Start here
help: ## List the targets
	@awk 'BEGIN {FS = ":.*## "} /^##@ / {printf "\n%s\n", substr($$0, 5)} \
	  /^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY) ## Make .venv from the lock file (the other targets do this by themselves)

$(READY): requirements.lock requirements-dev.lock
	@echo "Setting up .venv (once, and again when the lock files change)"
	@$(PYTHON) praxis/runtime/tooling/bootstrap.py
	@touch $@

##@ Run it
run: $(READY) ## Start everything on this machine and print `ready <url>`; Ctrl-C stops it
	@$(BIN)/praxis up

stop: $(READY) ## Stop what `make run` or `praxis up --detach` started
	@$(BIN)/praxis down

demo: $(READY) ## Walk one more visit through the running system and print its trace
	@$(BIN)/praxis demo

##@ Prove it
test: $(READY) ## Run the tests, all but the slow fault lane
	@$(BIN)/python -m pytest -n 2 --ignore=tests/fault

test-fast: $(READY) ## Run the tests that need no server
	@$(BIN)/python -m pytest -n 2 tests/unit tests/architecture tests/contract

check: $(READY) ## Lint, format, types, layers, and generated files up to date
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(TOOL).generated --check

fault: $(READY) ## Run the fault lane: kill parts and see that nothing is lost
	@if ls tests/fault/test_*.py >/dev/null 2>&1; then $(BIN)/python -m pytest tests/fault -m ""; \
	else echo "tests/fault holds no tests: nothing was run"; fi

bench: $(READY) ## Measure: booking, event lag, start-up (see docs/benchmarks.md)
	@$(BIN)/python -m bench

##@ Find your way
routes: $(READY) ## Print METHOD PATH -> file:line of every route
	@$(TOOL).routes

events: $(READY) ## Print subject -> publisher -> consumers, and write docs/events and the schemas
	@$(TOOL).generated
	@$(TOOL).events

openapi: $(READY) ## Write docs/openapi, docs/events and the event schemas
	@$(TOOL).generated

##@ Change it
migrate: $(READY) ## Start a migration: make migrate s=billing m="add refunds"
	@$(TOOL).migration "$(s)" "$(m)"

catalog: $(READY) ## Migrate empty databases and write what they hold to migrations/catalog.txt
	@PRAXIS_WRITE_CATALOG=1 $(BIN)/python -m pytest tests/service/kit/test_census.py -k committed_catalog

lock: $(READY) ## Resolve the dependencies of pyproject.toml anew and write both lock files
	@$(UV) lock --quiet
	@$(UV) export --quiet --frozen --no-emit-workspace --no-annotate --no-header --no-dev -o requirements.lock
	@$(UV) export --quiet --frozen --no-emit-workspace --no-annotate --no-header -o requirements-dev.lock

compose-check: $(READY) ## Check docker-compose.yml
	@if test -f docker-compose.yml; then docker compose config --quiet && echo "docker-compose.yml is valid"; \
	else echo "there is no docker-compose.yml: nothing was checked"; fi

clean: ## Remove caches and .venv; the data in .praxis stays
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find praxis services gateway tests -name __pycache__ -type d -prune -exec rm -rf {} +

.PHONY: help setup run stop demo test test-fast check fault bench routes events openapi migrate catalog lock compose-check clean
