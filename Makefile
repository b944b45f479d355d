# make demo    set everything up and open the demo room
# make test    set everything up and run every check and test; TESTS=path runs only those tests
# make soak    break everything at random for MINUTES=5, with fifty consoles
# make fuzz    look for input that breaks what reads strangers' words, for MINUTES=5
# make setup | bench | screenshots | lock

TESTS ?= tests
MINUTES ?= 5
BIN := .venv/bin
# The real parts that end-to-end tests drive.
PARTS := prometheus prometheus-alertmanager openssh-server openssh-client tmux strace
# A floor for coverage means nothing for a part of the tests.
COVERAGE := $(if $(filter-out tests,$(TESTS)),,--cov --cov-report=term:skip-covered)

.PHONY: setup demo test check soak fuzz bench screenshots lock
.DEFAULT_GOAL := test

setup:
	@.ci/setup

demo: setup
	@$(BIN)/warroom demo

test: check
	$(BIN)/pytest -q -n auto --dist loadfile $(COVERAGE) $(TESTS)

# Everything but the tests. A check that keeps generated documents true belongs here.
check: setup
	@.ci/packages $(PARTS)
	$(BIN)/ruff check --quiet
	$(BIN)/ruff format --quiet --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m warroom_console.readme --check
	$(BIN)/python docs/generate.py --check

# No part of `make test`: it takes as long as one gives it.
soak: setup
	$(BIN)/python -m tests.soak --minutes $(MINUTES)

# Neither is this: what it needs is installed here, and no test needs it.
fuzz: setup
	@$(BIN)/python -c 'import atheris' 2>/dev/null || .ci/install-group fuzz
	$(BIN)/python -m tests.fuzz --minutes $(MINUTES)

bench: setup
	$(BIN)/python -m benchmarks

screenshots: setup
	@.ci/packages libcairo2 fonts-dejavu-core
	$(BIN)/python -m screenshots

# What is installed, exactly, for every platform and Python from 3.11 on. Edit pyproject.toml first.
lock:
	@command -v uv >/dev/null || { echo 'make lock needs uv: pip install uv' >&2; exit 1; }
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	    --group dev --group build --custom-compile-command 'make lock' \
	    pyproject.toml -o requirements.lock
