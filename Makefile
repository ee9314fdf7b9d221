# Nothing is needed but Python 3.11 or newer and make. Everything else goes into .venv, from pinned and hashed
# requirements.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/pip --disable-pip-version-check --quiet
MINUTES ?= 10
TIMES ?= 200
# An interpreter that has the package kubernetes; skipped without one.
KUBERNETES_CLIENT ?= python3
OPA_CASES ?= ../shared/conformance/rego
POD_SECURITY ?= ../shared/conformance/pod-security
# The folder tests/simple/testdata of the CEL specification; none by default.
CEL_SPEC ?=
# Sources of Gatekeeper, or any folder with suites of tests for constraints; none by default.
GATEKEEPER ?=
# opencontainers/runtime-tools with its validation programs built; needs root; none by default.
RUNTIME_TOOLS ?=
# test/assets/bundle-verify of sigstore/sigstore-conformance; none by default.
SIGSTORE ?=
SIGNATURES ?= ../shared/conformance/signatures
# A copy of Gatekeeper's library; none by default.
LIBRARY ?=

.DEFAULT_GOAL := help
.PHONY: help demo test lint bench conformance fuzz crash mutation e2e requirements format clean

help: ## this list
	@grep -E '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "sekisho needs Python 3.11 or newer; set PYTHON=")'
	$(PYTHON) -m venv $(VENV)

# A stamp each: what people run needs less than what developers run.
$(VENV)/run.stamp: $(BIN)/python requirements/run.txt pyproject.toml
	$(PIP) install --require-hashes -r requirements/run.txt
	$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/dev.stamp: $(VENV)/run.stamp requirements/dev.txt
	$(PIP) install --require-hashes -r requirements/dev.txt
	@touch $@

demo: $(VENV)/run.stamp ## a guided run on real input
	@$(BIN)/sekisho demo $(PART)

test: $(VENV)/dev.stamp ## every test that needs nothing else
	$(BIN)/python -m pytest -q

lint: $(VENV)/dev.stamp ## style, types, layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --config .importlinter

bench: $(VENV)/dev.stamp ## ratios against the peers that are installed; writes bench/results.md
	$(BIN)/python -m bench

conformance: $(VENV)/dev.stamp ## suites of other projects, where they are at hand
	$(BIN)/python -m tests.conformance.opa $(OPA_CASES)/v1 --dialect v1
	$(BIN)/python -m tests.conformance.opa $(OPA_CASES)/v0 --dialect v0
	$(BIN)/python -m tests.conformance.kubectl
	@test -z "$(CEL_SPEC)" || $(BIN)/python -m tests.conformance.cel_spec $(CEL_SPEC)
	@test -z "$(GATEKEEPER)" || $(BIN)/python -m tests.conformance.gator $(GATEKEEPER)
	@test ! -d $(POD_SECURITY) || $(BIN)/python -m tests.conformance.library.standards $(POD_SECURITY)
	$(BIN)/python -m tests.conformance.apiserver_diff
	$(BIN)/python -m tests.conformance.kubeconfig --generated 50
	@test ! -d $(SIGNATURES) || $(BIN)/python -m tests.conformance.wycheproof $(SIGNATURES)
	@test -z "$(SIGSTORE)" || $(BIN)/python -m tests.conformance.sigstore $(SIGSTORE)
	@test -z "$(RUNTIME_TOOLS)" || $(BIN)/python -m tests.conformance.runtime_tools $(RUNTIME_TOOLS)
	$(BIN)/python -m tests.conformance.python_client --python $(KUBERNETES_CLIENT)
	@test -z "$(LIBRARY)" || $(BIN)/python -m tests.conformance.library $(LIBRARY) --generated 20

fuzz: $(VENV)/dev.stamp ## parsers, compiler, evaluator on generated input; hostile clients of the API; MINUTES=10 each
	$(BIN)/python -m tests.fuzz --minutes $(MINUTES)
	$(BIN)/python -m tests.fuzz --part apiserver --minutes $(MINUTES)

crash: $(VENV)/dev.stamp ## kill -9 of the API server under writers, TIMES=200
	$(BIN)/python -m tests.crash --times $(TIMES)

mutation: $(VENV)/dev.stamp ## whether the suites of the policy library notice mistakes in its templates
	$(BIN)/python -m tests.mutation

e2e: $(VENV)/dev.stamp ## tests against the real programs, where they are installed
	SEKISHO_E2E=1 $(BIN)/python -m pytest -q tests/e2e tests/integration/test_install.py

format: $(VENV)/dev.stamp ## rewrite the sources in the house style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# The lock files hold versions and hashes and no addresses.
requirements: ## make the lock files anew (needs pip-tools on the PATH)
	for set in run dev; do \
	  pip-compile --quiet --generate-hashes --allow-unsafe --strip-extras --build-deps-for=editable \
	    --no-emit-index-url --no-emit-trusted-host --no-emit-find-links \
	    $$([ $$set = dev ] && echo --extra dev) -o requirements/$$set.txt pyproject.toml; \
	done

clean: ## remove what was made here
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
