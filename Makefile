# Two commands: `make local` (the whole thing, for real, on this machine) and `make test` (four minutes, needs no lab,
# cluster or cloud).
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STACK ?= local
KILLS ?= 20
SEED ?= 1
# Rooms whose tests start no process and read no cluster.
PURE := $(addprefix tests/,settings rules manifests aws_plan edits preview)
# A folder of wheels of the lab's tools (make tool-wheels): they are taken instead of built.
FIND_LINKS ?= $(GITOPS_STACK_FIND_LINKS)
export GITOPS_STACK_FIND_LINKS := $(FIND_LINKS)
WHEELS ?= dist/tools

.DEFAULT_GOAL := help
.PHONY: help venv rehearse local local-down quick fmt docs test e2e soak bench tools tool-wheels tool-digests schema recording golden clean

help:  ## Show this list
	@awk -F ':.*## ' '/^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z0-9-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' \
		$(MAKEFILE_LIST)

# Made from the locked requirements; made again when they change.
$(VENV)/.installed: requirements-dev.txt pyproject.toml packages/pulumi-aws-double/pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10) and "$(PYTHON): is older than 3.10; name a newer one: make PYTHON=python3.12")'
	@echo "virtual environment: installing the locked requirements into $(VENV)"
	@$(PYTHON) -m venv --clear $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements-dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable packages/pulumi-aws-double --editable .
	@touch $@

venv: $(VENV)/.installed

##@ Run it on this machine
local: venv  ## Bootstrap stack local in the lab and prove it; again: converges
	@$(BIN)/gitops-stack lab bootstrap --stack $(STACK)

local-down: venv  ## pulumi destroy against the living controllers, then stop every process
	@$(BIN)/gitops-stack lab down --destroy --stack $(STACK)

rehearse: STACK := $(if $(filter command line,$(origin STACK)),$(STACK),dev)
rehearse: venv  ## Run an EKS stack end to end without AWS: make rehearse STACK=dev
	@$(BIN)/gitops-stack rehearse $(STACK)

##@ While you work
quick: venv  ## Format, lint, types and the tests of the pure rooms: half a minute once types are warm
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -q -n auto $(PURE)

fmt: venv  ## Format, and mend what the linter can
	$(BIN)/ruff check --fix --quiet . || true
	$(BIN)/ruff format .

docs:  ## Build the documents as a site into site/, warnings are errors; needs Python 3.11
	@$(PYTHON) -m venv $(VENV)-docs
	@$(VENV)-docs/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements-docs.txt
	$(VENV)-docs/bin/zensical build --strict --clean

##@ Prove it
test: venv  ## Format, lint, types, import contracts, unit tests; needs no lab, cluster or cloud
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports 
	@# Every worker imports every test: compiled modules are kept whatever the caller's setting, half of that time.
	PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -m 'not e2e' --ignore tests/e2e -n auto --dist loadscope

e2e: tools  ## The lab tests: real engine, real API server, real controllers
	$(BIN)/python -m pytest -m 'e2e and not soak' -n 3 --dist loadfile

soak: tools  ## The proofs at scale: 25 workloads, adoption, builds, settings, every drill, and KILLS kills from SEED
	$(BIN)/python -m pytest -m e2e -n 2 --dist loadfile tests/e2e/test_high_availability.py \
		tests/e2e/test_adoption.py tests/e2e/test_lab_faults.py tests/e2e/test_reproducible_tools.py \
		tests/e2e/test_spokes_by_role.py tests/e2e/test_add_ons.py
	COMBINATIONS=200 $(BIN)/python -m pytest -m e2e tests/e2e/test_setting_combinations.py
	$(BIN)/gitops-stack drill
	$(BIN)/python -m soak --kills $(KILLS) --seed $(SEED)

tools: venv  ## Build the lab's tools (about 25 minutes the first time, then seconds), or take FIND_LINKS=DIR's wheels
	@$(BIN)/gitops-stack lab tools

tool-wheels: venv  ## Write one wheel per tool for this platform into WHEELS=dist/tools
	@$(BIN)/gitops-stack lab tools --wheels $(WHEELS)

tool-digests: venv  ## Commit to this machine's bytes after a change of pins, built with the Go release the file names
	@$(BIN)/gitops-stack lab tools --digests > $(VENV)/digests.json && mv $(VENV)/digests.json gitops_stack/lab/tool-digests.json

bench: tools  ## Measure into bench/results.md, an hour; PART=checks for one part, AGAINST=REV pairs another revision
	$(BIN)/python -m bench $(if $(PART),--only $(PART)) $(if $(AGAINST),--against $(AGAINST))

##@ Make what is made
schema: venv  ## Write the JSON Schemas of stack files and cluster metadata
	@$(BIN)/gitops-stack schema > $(VENV)/schema.json && mv $(VENV)/schema.json gitops_stack/stack.schema.json
	@$(BIN)/gitops-stack schema --metadata > $(VENV)/schema.json && mv $(VENV)/schema.json gitops_stack/cluster-metadata.schema.json

recording: venv  ## Record what `make local` prints as docs/make-local.svg; it stays up
	$(BIN)/python -m tests.docs.recording

golden: tools  ## Write trees, locks and golden files again after a change that is meant
	@PATH=$$($(BIN)/gitops-stack lab env --tools | sed 's/export PATH=//; s/:$$PATH//'):$$PATH && for stack in local dev prd; do \
		$(BIN)/gitops-stack render --stack $$stack && $(BIN)/gitops-stack lock --stack $$stack && \
		$(BIN)/gitops-stack check --stack $$stack || exit 1; done
	@GITOPS_STACK_GOLDEN=write $(BIN)/python -m pytest -q -m 'not e2e' tests

clean:  ## Stop the labs of this folder without destroying, and remove what can be made again
	@if [ -d .lab ]; then $(MAKE) --no-print-directory venv && for lab in .lab/*; do \
		$(BIN)/gitops-stack lab down --name "$${lab#.lab/}" || exit 1; done; fi
	@rm -rf .lab $(VENV) $(VENV)-docs .cache site build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
