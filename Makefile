# `make demo` and `make test` are the only set-up: each makes .venv first when it is missing or out of date.
.DEFAULT_GOAL := help
.PHONY: help demo up test e2e coverage check format lint types imports actions deploy-files bench bench-detect bench-ingest bench-rca mutants mutants-sample image-check lock clean

VENV := .venv
BIN := $(VENV)/bin
# The first interpreter that really runs and is new enough.
PYTHON ?= $(shell for p in python3 python3.12 python3.11 python3.13 python; do \
  "$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && { echo "$$p"; break; }; done)

# Tests that run the bot in pytest's own process, with nothing but loopback. Those left out are slow and add no line.
IN_PROCESS := $(patsubst %,tests/inprocess/test_%.py,dashboard_reads giving_up intake people respond story webhooks_in) \
  tests/unit/bot tests/unit/action/respond tests/integration/bot tests/integration/test_http_heads.py \
  tests/contract/test_forge.py tests/contract/test_queue.py tests/contract/test_memory.py \
  $(addprefix --ignore=tests/unit/bot/,test_shared_cause.py comments/test_safety.py web/test_web_weight.py) \
  --ignore=tests/integration/bot/test_scout_process.py \
  -k "not postgres and not MiniLM and not (chroma and server) and not without_credentials"

help:  ## Show this help
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

demo: $(VENV)/.runtime  ## Run the whole loop on this machine: fault, issue, root cause, fix, recovery (about two minutes)
	$(BIN)/sre-space demo --yes --scenario db-pool-exhaustion

up: $(VENV)/.runtime  ## Run the service with embedded SQLite and Redis
	$(BIN)/sre-space up

test: $(VENV)/.dev  ## Run every test; what needs a missing part is skipped with the command that installs it
	$(BIN)/pytest -n auto --maxprocesses 4 --dist loadfile

e2e: $(VENV)/.dev  ## Run the tests of the whole loop that take minutes
	$(BIN)/pytest tests/e2e -m long

coverage: $(VENV)/.dev  ## Run the in-process tests and print what they cover of each module; fails below 80%
	$(BIN)/coverage erase
	$(BIN)/python -m pytest -q -p tests.measured -n auto --maxprocesses 2 --dist loadfile $(IN_PROCESS)
	$(BIN)/coverage combine -q
	$(BIN)/python -m tests.coverage_per_module

check: format lint types imports actions deploy-files mutants-sample coverage test  ## What CI runs: format, lint, types, imports, files for others, mutants of the day, coverage, tests

format: $(VENV)/.dev  ## Check the formatting (`ruff format .` mends it)
	$(BIN)/ruff format --check .

lint: $(VENV)/.dev  ## Lint
	$(BIN)/ruff check .

types: $(VENV)/.dev  ## Check the types
	$(BIN)/pyright

imports: $(VENV)/.dev  ## Check that imports run one way
	$(BIN)/lint-imports

actions: $(VENV)/.dev  ## Check action.yml and the example workflows: schema and security
	$(BIN)/check-jsonschema --builtin-schema vendor.github-actions action.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows docs/examples/*.yml
	$(BIN)/zizmor --offline --no-progress --quiet action.yml docs/examples

deploy-files: $(VENV)/.dev  ## Check Dockerfile and docker-compose.yml (tests look at the other deploy files)
	$(BIN)/hadolint Dockerfile
	$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yml

bench: $(VENV)/.dev  ## Run the benchmarks: they print figures and assert nothing about time
	$(BIN)/pytest tests/benchmarks -m bench -s --timeout 1800

bench-detect: $(VENV)/.dev  ## Measure false incidents of quiet weeks and the time to confirm a fault, in simulations (ten minutes)
	$(BIN)/pytest tests/benchmarks/test_detection.py -m bench -s --timeout 3600

bench-ingest: $(VENV)/.dev  ## Measure the senses: spans per second and core, memory, detection (BENCH_OPTIONS=--help)
	$(BIN)/python -m tests.benchmarks.ingest $(BENCH_OPTIONS)

bench-rca: $(VENV)/.dev  ## Measure the root-cause ranking on labelled faults: make bench-rca DATA=folder (BENCH_OPTIONS=--renamed; see docs/rca.md)
	$(BIN)/python -m tests.benchmarks.rca $(DATA) $(BENCH_OPTIONS)

mutants: $(VENV)/.dev  ## Change the code that decides and acts in every small way: some test must notice (half an hour; MUTANTS_OPTIONS=--help)
	$(BIN)/python -m tests.mutants $(MUTANTS_OPTIONS)

mutants-sample: $(VENV)/.dev  ## Try the mutants of the day, and those that once lived (two minutes at most)
	$(BIN)/python -m tests.mutants --sample 60 $(MUTANTS_OPTIONS)

image-check:  ## Build the container image, start it, print its size; needs Docker (see docs/deploy.md)
	$(PYTHON) -m infra.image.check $(IMAGE_CHECK_OPTIONS)

lock: $(VENV)/.dev  ## Make the lock files anew from pyproject.toml
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-strip-extras \
	  --no-emit-index-url --no-header --upgrade --extra postgres pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-strip-extras \
	  --no-emit-index-url --no-header --group dev -c requirements.lock pyproject.toml -o requirements-dev.lock
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-strip-extras \
	  --no-emit-index-url --no-header --extra action --extra postgres -c requirements.lock pyproject.toml -o action/requirements.lock

clean:  ## Remove what make and the service made here
	rm -rf $(VENV) var .pytest_cache .ruff_cache .import_linter_cache .hypothesis

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "SRE-Space needs Python 3.11 or newer on PATH. Install it, or name it: make PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "Python's venv module is missing. On Debian: apt-get install python3-venv" >&2; exit 1; }

$(VENV)/.runtime: requirements.lock pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -e .
	@touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.runtime
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.lock
	@touch $@
