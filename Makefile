# On a fresh machine with Python 3.11 or newer, pip and apt:
#   make demo   installs Corvid into .venv and runs the bundled examples, offline, on the CPU
#   make test   the same installation, then the checks and the whole test suite

SHELL := /bin/bash
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

# The first Python on the path that is new enough; `make PYTHON=/path/to/python demo` overrides.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$p" && break; \
	done)

.PHONY: demo test lint suite clean

demo: $(READY)
	$(BIN)/corvid demo

# The checks, which keep one core busy for minutes, run beside the suite, which often waits for pages.
test: $(READY)
	@$(MAKE) --no-print-directory --jobs=2 lint suite

# A process a core, each with one thread: a file's tests stay together, with what they share.
suite: $(READY)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n logical --dist loadfile

lint: $(READY)
	$(BIN)/ruff check agent tools mllm prompts tests
	$(BIN)/mypy

# Installed again whenever the list of requirements changes.
$(READY): pyproject.toml
	@test -n "$(PYTHON)" || { echo "Corvid needs Python 3.11 or newer: install it and run make again." >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) \
		|| { .ci/system python3-venv && $(PYTHON) -m venv --clear $(VENV); } \
		|| { echo "Python cannot make a virtual environment: install its venv module (on Debian python3-venv)." >&2; exit 1; }
	@echo "Installing Corvid into $(VENV); the first time this takes a few minutes."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile -e '.[all,dev]'
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps 'miniwob>=1.0'
	@command -v chromium >/dev/null || command -v google-chrome >/dev/null || .ci/system chromium || true
	@command -v espeak-ng >/dev/null || .ci/system espeak-ng || true
	@command -v Xvfb >/dev/null && command -v xdotool >/dev/null && command -v zenity >/dev/null \
		&& command -v dbus-daemon >/dev/null && test -x /usr/libexec/at-spi-bus-launcher \
		|| .ci/system xvfb xdotool zenity at-spi2-core dbus fonts-dejavu-core || true
	@$(BIN)/python -c 'import cv2' 2>/dev/null || .ci/system libgl1 libglib2.0-0 || true
	@touch $@

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache
