# `make run` opens the window, `make test` runs every test; both set up what is missing first.

PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do \
	$$p -c 'import sys, venv, ensurepip; sys.exit(sys.version_info[:2] < (3, 11))' 2>/dev/null \
	&& { echo $$p; break; }; done)
BIN := .venv/bin
# A file's tests stay together: they share a model, or a display.
TESTS ?= -n auto --dist loadfile

.PHONY: run test check lint bench setup setup-dev system-deps lock clean

run: setup
	$(BIN)/causeway

test: setup-dev
	$(BIN)/pytest $(TESTS)

check: setup-dev lint
	$(BIN)/pytest $(TESTS)

lint: setup-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: setup-dev
	$(BIN)/python -m benchmarks

setup: python-found
	@$(PYTHON) packaging/system_deps.py
	@$(PYTHON) packaging/setup_environment.py

setup-dev: python-found
	@$(PYTHON) packaging/system_deps.py --tests
	@$(PYTHON) packaging/setup_environment.py --dev

# What only the system's package manager can give: Qt's libraries, and Xvfb for the window tests.
system-deps: python-found
	@$(PYTHON) packaging/system_deps.py --tests

# Newest admitted versions into constraints.txt.
lock: setup-dev
	$(BIN)/python packaging/lock.py

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

.PHONY: python-found
python-found:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer, with venv and pip, is needed (Debian, Ubuntu: sudo apt-get install python3 python3-venv)."; exit 1; }
