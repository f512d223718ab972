SHELL := /bin/bash
.DEFAULT_GOAL := help
-include .makerc

UV := .tools/bin/uv
PYTHON ?= python3
RUN := $(UV) run --frozen --no-sync
SERVICES := edge classifier cache provider-dispatch metering prompt-registry simulator
IMAGES := $(SERVICES) compact
TAG ?= dev
REGISTRY ?= $(if $(TOLLWAY_REGISTRY),$(TOLLWAY_REGISTRY)/)tollway
PACKAGES := tollway_servicekit tollway_dialects tollway_pricing tollway_httpclient tollway_edge tollway_classifier \
	tollway_cache tollway_provider_dispatch tollway_metering tollway_prompt_registry tollway_simulator tollway_topologies

.PHONY: help
help: ## Show this list
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n\033[1m%s\033[0m\n", substr($$0, 5)} /^[a-z][a-z0-9-]*:.*## / {printf "  \033[36m%-18s\033[0m %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

##@ Run
.PHONY: run run-distributed run-compact
run: setup ## Start Tollway on this machine, in one process, with embedded backends
	@$(RUN) python -m tollway_topologies local

run-distributed: setup ## Start each service as a process of its own, with Redis; needs redis-server
	@$(RUN) python -m tollway_topologies processes distributed

run-compact: setup ## Start the compact topology's processes, with Redis; needs redis-server
	@$(RUN) python -m tollway_topologies processes compact

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

##@ Test
.PHONY: check lint types imports check-generated contracts test test-unit test-contract test-docs fuzz fuzz-answers smoke smoke-network load faults compat
check: ## Everything that a change must pass, in the order of what fails fastest
	@for step in lint types imports check-generated contracts test; do \
		printf '\033[1m%s\033[0m\n' "$$step"; $(MAKE) --no-print-directory $$step || exit; \
	done

lint: setup ## Style of the code
	@$(RUN) ruff check --quiet . && $(RUN) ruff format --check --quiet .

types: setup ## Types of every package, strictly
	@$(RUN) mypy $(addprefix -p ,$(PACKAGES))

imports: setup ## Services never import one another, imports point inward, libraries know no service
	@$(RUN) lint-imports

check-generated: generate ## protos/gen is what the contracts say, and committed
	@git diff --exit-code --stat -- protos/gen && test -z "$$(git ls-files --others --exclude-standard -- protos/gen)" || \
		{ echo "protos/gen is not what 'make generate' writes: commit what it wrote" >&2; exit 1; }

contracts: setup ## Style of the contracts, and nothing in them breaks yesterday's callers
	@$(RUN) buf lint protos && $(RUN) scripts/check-breaking

test: setup ## Every test that this machine can run; says what it left out and why
	@scripts/test-needs
	@$(RUN) pytest -n auto --dist loadgroup --durations=10 -rfEs

test-unit: setup ## Tests of single services and libraries
	@$(RUN) pytest -n auto libs services topologies

test-contract: setup ## Tests of what services and clients promise one another, in every topology
	@$(RUN) pytest -n auto --dist loadgroup -rfEs tests/contract

test-docs: setup ## Tests that documents and code agree
	@$(RUN) pytest tests/docs

compat: setup ## Drive real clients straight and through the gateway and compare; ONLY=text takes checks by name
	@COMPAT_ONLY="$(ONLY)" $(RUN) pytest -m compat -n 4 --dist loadgroup -q -rfEs tests/contract/compat

fuzz: setup ## Send spoilt requests; REQUESTS (10000), SEED (it is told), ONLY=numbers and TOPOLOGY change the run
	@FUZZ_REQUESTS=$(or $(REQUESTS),10000) FUZZ_SEED=$(or $(SEED),$(shell date +%s)) FUZZ_ONLY=$(ONLY) \
		$(RUN) pytest -q --tb=short -k $(or $(TOPOLOGY),compact) tests/hostile/fuzz$(if $(ONLY),/test_fuzz.py)

faults: setup ## Sixteen ways in which a provider fails, at full length, in compact and distributed; some ten minutes
	@FAULTS_FULL=1 $(RUN) pytest -q -s --tb=short tests/contract/faults

smoke: setup ## Check a running Tollway from outside: URL=http://host:port KEY=tw_…; KEY defaults to TOLLWAY_KEY
	@$(if $(URL),,$(error say which Tollway: make smoke URL=http://127.0.0.1:8000 KEY=tw_…))
	@TOLLWAY_URL="$$URL" TOLLWAY_KEY="$${KEY:-$$TOLLWAY_KEY}" $(RUN) pytest -q --tb=no --no-header -rN tests/smoke

smoke-network: setup ## One small question to each provider whose key is set, and what it cost; under a tenth of a cent
	@$(RUN) pytest -m network -q --tb=short --no-header -rs tests/smoke/test_llm_roundtrip.py

load: setup ## 500 concurrent streams, fast, slow and stuck readers, through one edge; STREAMS changes how many
	@TOLLWAY_STREAMS=$(or $(STREAMS),500) $(RUN) pytest -q -s --tb=short tests/load

fuzz-answers: setup ## Read HTTP answers, whole and broken ones, in a million pieces; CUTS and SEED change the run
	@CUTS=$(or $(CUTS),1000000) SEED=$(or $(SEED),1) $(RUN) pytest -q -s libs/httpclient/tests/test_fuzz.py

##@ Kubernetes
.PHONY: images push test-chart test-e2e
images: ## Build every image, REGISTRY/<name>:TAG; BASE_IMAGE and DOCKER_BUILD_FLAGS are handed on
	@for name in $(IMAGES); do \
		echo "building $(REGISTRY)/$$name:$(TAG)"; \
		DOCKER_BUILDKIT=1 docker build --quiet $(DOCKER_BUILD_FLAGS) $(if $(BASE_IMAGE),--build-arg BASE_IMAGE=$(BASE_IMAGE)) \
			--build-arg SERVICE=$$name --tag $(REGISTRY)/$$name:$(TAG) . >/dev/null || exit; \
	done

push: ## Push every image
	@for name in $(IMAGES); do docker push --quiet $(REGISTRY)/$$name:$(TAG) || exit; done

test-chart: setup ## Render the chart and check what it says; needs helm
	@$(RUN) pytest tests/chart

test-e2e: setup images push ## Install on the cluster of KUBECONFIG and call it; REGISTRY is where its nodes pull
	@TOLLWAY_E2E=1 REGISTRY=$(REGISTRY) TAG=$(TAG) $(RUN) pytest --durations=10 tests/e2e

##@ Measure
.PHONY: bench bench-hop bench-rescue instructions profile
bench: setup ## What a call costs beside a plain relay, and AGAINST=checkout; ROUNDS, REQUESTS, CASES, TOPOLOGIES, JSON=file
	@$(RUN) python -m bench $(if $(AGAINST),--against $(AGAINST)) \
		$(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(REQUESTS),--requests $(REQUESTS)) \
		$(if $(CASES),--cases $(CASES)) $(if $(TOPOLOGIES),--topologies $(TOPOLOGIES)) $(if $(JSON),--json $(JSON))

bench-hop: setup ## What a call between two processes costs, by kind of stub; DELAY=2 puts so many ms between them
	@$(RUN) python -m bench.hop $(if $(DELAY),--delay $(DELAY))

bench-rescue: setup ## How often a stream that broke off is taken on, with text that agrees or differs; STREAMS a row (200)
	@RESCUE_STREAMS=$(or $(STREAMS),200) $(RUN) pytest -q --tb=short tests/rescue

instructions: setup ## Instructions of every process for a request, by valgrind: the same in every run; TOPOLOGY, CASE
	@$(RUN) python -m bench.instructions $(if $(TOPOLOGY),--topology $(TOPOLOGY)) $(if $(CASE),--case $(CASE))

profile: setup ## Flame graphs of every process of a topology under load; TOPOLOGY, CASE and SECONDS change the run
	@$(RUN) python -m bench.profile $(if $(TOPOLOGY),--topology $(TOPOLOGY)) $(if $(CASE),--case $(CASE)) \
		$(if $(SECONDS),--seconds $(SECONDS))
