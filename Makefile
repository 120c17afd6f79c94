# Every target sets up what it needs: a clone, make and a Python from 3.11 on are enough.
#   make demo         grade a right and some wrong answers, show the verdicts
#   make test         linters, types, doctests, tests
#   make help         the rest
# Other Python:       make PYTHON=/path/to/python3.12 ...
# Through a mirror:   pip's own variables (PIP_INDEX_URL, PIP_EXTRA_INDEX_URL, ...) are passed on.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

VENV ?= .venv
EXTRAS ?= dev
BIN := $(VENV)/bin
READY := $(VENV)/.ready
OUT := out
FUZZ_SECONDS ?= 60
TEST_JOBS ?= 2

# The first Python that starts and is new enough; a name found may be a wrapper that does not start.
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)

# One thread each: several small processes share the machine, and results do not depend on its size.
export OMP_NUM_THREADS ?= 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help
help: ## this list
	@grep -hE '^[a-z-]+:.*## ' Makefile | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 12

# ---------------------------------------------------------------- set-up

# Redone when the dependencies change. An environment that was interrupted half-way, or whose Python has
# gone, is made anew.
$(READY): pyproject.toml constraints.txt
	@if [ -z "$(PYTHON)" ]; then \
		echo "gdgrade needs Python 3.11 or newer, and none was found. Name one: make PYTHON=/path/to/python3" >&2; \
		exit 1; fi
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || { \
		echo "setting up $(VENV) with $$($(PYTHON) --version)"; $(PYTHON) -m venv --clear $(VENV); }
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[$(EXTRAS)]'
	@touch $@

.PHONY: setup
setup: $(READY) ## the environment only

# ---------------------------------------------------------------- everyday

# Each file says in its first line what was planted. A verdict other than the planted one stops the demo.
DEMO := $(addprefix tests/submissions/ex05_langevin/, \
	right_other_algebra.py wrong_step_noise_times_eta.py wrong_score_minus_sign.py wrong_wrong_shape.py)
.PHONY: demo
demo: $(READY) ## grade a right and some wrong answers of ex05, show the verdicts
	@for file in $(DEMO); do \
		expected=0; [[ "$$file" != */wrong_* ]] || expected=1; \
		printf '\n$$ gdgrade check ex05 %s\n%s\n\n' "$$file" "$$(head -n 1 "$$file" | cut -d'|' -f1)"; \
		code=0; $(BIN)/gdgrade check ex05 "$$file" --html "$(OUT)/demo/$$(basename "$$file" .py).html" || code=$$?; \
		if [ $$code -ne $$expected ]; then echo "exit code $$code, expected $$expected" >&2; exit 1; fi; \
	done; \
	printf '\nThe same reports as pages: $(OUT)/demo/*.html\nYour own file: $(BIN)/gdgrade check ex05 FILE\n'

# The tests come last, so that the run ends with pytest's own closing line.
.PHONY: test
test: lint doctest tests ## everything that must hold: linters, types, doctests, tests

.PHONY: lint
lint: $(READY) ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/mypy

.PHONY: doctest
doctest: $(READY) ## the examples in the docstrings
	$(BIN)/python -m pytest -q -p no:cacheprovider --doctest-modules src/gdgrade $(wildcard reference)

.PHONY: graders
graders: $(READY) ## prove the graders of all exercises sound (quick setting)
	$(BIN)/gdgrade author check --quick

.PHONY: planted
planted: $(READY) ## judge every planted answer on every check, trainings and nbgrader included (an hour)
	$(BIN)/python -m pytest -m planted

.PHONY: tests
tests: $(READY) ## pytest alone, TEST_JOBS files at a time
	$(BIN)/python -m pytest -n $(TEST_JOBS) --dist loadfile

# ---------------------------------------------------------------- the rest

.PHONY: soak
soak: $(READY) ## kill batches at random instants, fifty times
	$(BIN)/python -m pytest -m soak

.PHONY: fuzz
fuzz: $(READY) ## property tests with ever new examples, then coverage-guided fuzzing (FUZZ_SECONDS each)
	HYPOTHESIS_PROFILE=fuzz $(BIN)/python -m pytest -m hypothesis
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[$(EXTRAS),fuzz]'
	@mkdir -p $(OUT)/fuzz
	for target in frames values manifest submission; do \
		$(BIN)/python fuzz/coverage_guided.py $$target $(FUZZ_SECONDS); done

.PHONY: calibrate
calibrate: $(READY) ## measure the pass limits of training checks anew (long)
	@for script in $(wildcard graders/*/calibrate.py); do echo "$$script"; $(BIN)/python "$$script"; done

# A verdict that is not sound stands on the page too; the page then says what is wrong. What was judged before an
# interruption is in the cache.
.PHONY: soundness
soundness: $(READY) ## examine all graders in full, the verdicts to docs/soundness.md (an hour or two)
	@mkdir -p $(OUT)
	@code=0; $(BIN)/gdgrade author check --full --format json > $(OUT)/soundness.json || code=$$?; \
		if [ $$code -gt 1 ]; then exit $$code; fi
	$(BIN)/python -m gdgrade.author.record $(OUT)/soundness.json > docs/soundness.md

# The figures of the statements, drawn from the reference by the same command that students use.
EXERCISES := $(patsubst graders/%/plots.py,%,$(wildcard graders/*/plots.py))
.PHONY: gallery
gallery: $(READY) ## draw docs/gallery/ anew from the reference (some minutes)
	@for exercise in $(EXERCISES); do \
		$(BIN)/gdgrade plot $$exercise reference/$$exercise/*.py --out docs/gallery/$$exercise --format png; done

# What students install: the engine, the small data sets, and the released course, from which `gdgrade start` makes a folder.
.PHONY: wheel
wheel: $(READY) ## the package for students, with the released course in it, in dist/
	rm -f src/gdgrade/course_release.zip
	$(BIN)/gdgrade author release --out src/gdgrade/course_release.zip
	$(BIN)/python -m hatchling build --target wheel

# Pages that are made from the code; `make test` fails when they are stale.
.PHONY: pages
pages: $(READY) ## make docs/cli.md and docs/check-api.md anew
	$(BIN)/python -m gdgrade.author.clidoc > docs/cli.md
	$(BIN)/python -m gdgrade.author.apidoc > docs/check-api.md

.PHONY: docs
docs: $(READY) pages ## the documentation as a site, in site/; warnings are errors
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[$(EXTRAS),docs]'
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict
	@echo "site/index.html"

.PHONY: showcase
showcase: $(READY) ## train the showcases on real data, figures and numbers to docs/gallery/ (an hour of one core)
	@for script in $(wildcard graders/*/showcase.py); do echo "$$script"; $(BIN)/python "$$script"; done

.PHONY: locale
locale: $(READY) ## bring the French catalogues up to date, compile them, list what is missing
	$(BIN)/python -m gdgrade.author.translations update
	$(BIN)/python -m gdgrade.author.translations compile
	$(BIN)/python -m gdgrade.author.translations check

.PHONY: bench
bench: $(READY) ## time the command line against `import torch`
	@mkdir -p $(OUT)
	$(BIN)/python benchmarks/check_latency.py --json $(OUT)/check_latency.json

.PHONY: clean
clean: ## remove caches, builds and $(OUT)/; the environment stays (rm -r .venv removes it)
	rm -rf build dist site $(OUT) .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage .coverage.* htmlcov
	find . -path ./$(VENV) -prune -o -name __pycache__ -type d -prune -exec rm -rf {} +
