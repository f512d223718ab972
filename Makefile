SHELL := /bin/bash
.DEFAULT_GOAL := help
-include .makerc

UV := .tools/bin/uv
PYTHON ?= python3
RUN := $(UV) run --frozen --no-sync
SERVICES := edge classifier cache provider-dispatch metering prompt-registry simulator
IMAGES := $(SERVICES) compact
TAG ?= dev
REGISTRY ?= tollway
PACKAGES := tollway_servicekit tollway_dialects tollway_pricing tollway_edge tollway_classifier tollway_cache \
	tollway_provider_dispatch tollway_metering tollway_prompt_registry tollway_simulator tollway_topologies

.PHONY: help
help: ## Show this list
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n\033[1m%s\033[0m\n", substr($$0, 5)} /^[a-z][a-z0-9-]*:.*## / {printf "  \033[36m%-18s\033[0m %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

##@ Run
.PHONY: run
run: setup ## Start Tollway on this machine, in one process, with embedded backends
	@$(RUN) python -m tollway_topologies local

##@ Work
.PHONY: setup generate format
setup: .venv/.installed ## Install everything into this checkout

$(UV): tools.txt
	@scripts/install-tools && touch -h $@

.venv/.installed: uv.lock pyproject.toml $(wildcard libs/*/pyproject.toml services/*/pyproject.toml protos/pyproject.toml topologies/pyproject.toml) | $(UV)
	@$(UV) sync --frozen --quiet
	@touch $@

generate: setup ## Write protos/gen from the contracts
	@find protos/gen/tollway -type f -delete 2>/dev/null || true
	@$(RUN) python -m grpc_tools.protoc -Iprotos --python_out=protos/gen --grpc_python_out=protos/gen \
		--mypy_out=quiet:protos/gen --mypy_grpc_out=quiet:protos/gen $$(find protos/tollway -name '*.proto' | sort)

format: setup ## Format the code and mend what ruff can
	@$(RUN) ruff check --fix --quiet . ; $(RUN) ruff format --quiet .
