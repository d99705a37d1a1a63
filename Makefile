# Everything a checkout needs, from a bare clone on: `make` lists it.
#
# PYTHON  the interpreter that .venv is made with        make install PYTHON=python3.12
# ARGS    handed on to the program that a target runs    make demo ARGS="--source 0"
# HOURS   how long a soak runs                           make soak HOURS=8

PYTHON ?= python3
HOURS  ?= 1
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := PIP_USE_PEP517=1 $(BIN)/python -m pip --disable-pip-version-check install --quiet
SPEC   := setup.cfg pyproject.toml constraints.txt
LOCKED := $(BIN)/uv pip compile --quiet --universal --python-version 3.10 --constraint constraints.txt \
    --generate-hashes --no-annotate --custom-compile-command 'make lock'

NAME   := facialnet_kiosk-$(shell sed -n 's/^version = //p' setup.cfg)
WHEEL  := $(NAME)-py3-none-any.whl
SBOM   := $(NAME).cdx.json
FROM_LOCK := --disable-pip-version-check install --quiet --require-hashes --only-binary :all:

# The machines that a lock must serve by wheels alone, with the oldest glibc of each: JetPack 6 has Python 3.10 and 2.35,
# Debian 12 3.11 and 2.36. PyQt6 has none for aarch64, Python 3.12 and newer, and a glibc before 2.39: Debian 13 has 2.41.
LOCK_SERVES := $(foreach python,3.10 3.11 3.12 3.13,$(python):x86_64-manylinux_2_35) \
    $(foreach python,3.10 3.11,$(python):aarch64-manylinux_2_35) $(foreach python,3.12 3.13,$(python):aarch64-manylinux_2_39)

# `make released` always makes this environment again, from a release's files only.
RELEASED := $(VENV)/released

# What PyQt6's wheels need from Debian or Ubuntu; apt brings in the rest. Fonts are among them because a
# machine without any shows no text, and one without fonts-droid-fallback no Chinese. libsm6 is for Qt 6.7, the newest that runs on JetPack 6.
SYSTEM_LIBRARIES := \
    fonts-dejavu-core fonts-droid-fallback libdbus-1-3 libegl1 libfontconfig1 libgl1 libglib2.0-0 libsm6 \
    libwayland-cursor0 libwayland-egl1 libxcb-cursor0 libxcb-icccm4 libxcb-keysyms1 libxcb-randr0 libxcb-shape0 \
    libxkbcommon-x11-0

# All tests are shared out among processes, a file at a time: much of their time is spent waiting. A call that names some
# gets them in one process, whose output is seen as it comes.
ALL_TESTS := --numprocesses auto --maxprocesses 4 --dist loadfile

.PHONY: help install system-libraries demo sale test lint bench soak screenshots cli-docs wheel lock released sbom release clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-18s %s\n", $$1, $$2 }' Makefile

install: system-libraries $(VENV)/.everything ## .venv with the kiosk, the trainer and the developer tools

demo: $(if $(DISPLAY)$(WAYLAND_DISPLAY),system-libraries) $(VENV)/.kiosk ## live estimates, of a webcam or of the bundled clip
	$(BIN)/kiosk demo $(ARGS)

sale: $(if $(DISPLAY)$(WAYLAND_DISPLAY),system-libraries) $(VENV)/.kiosk ## the whole sale, simulated
	$(BIN)/kiosk run --demo $(ARGS)

test: system-libraries $(VENV)/.everything ## the tests; they need no network, camera, display or GPU
	$(BIN)/python -m pytest $(or $(ARGS),$(ALL_TESTS))

lint: $(VENV)/.everything ## ruff and mypy
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

bench: system-libraries $(VENV)/.everything ## speed, steadiness and appetite beside the nearest alternative, in benchmarks/kiosk
	$(BIN)/python -m benchmarks run $(ARGS)

soak: system-libraries $(VENV)/.everything ## the whole kiosk for HOURS, with customers and faults by chance: docs/soak.md
	$(BIN)/python -m benchmarks.soak --hours $(HOURS) $(ARGS)

screenshots: system-libraries $(VENV)/.kiosk ## every screen as a PNG, in screenshots/; no display needed
	$(BIN)/python tools/make_screenshots.py $(ARGS)

cli-docs: $(VENV)/.everything ## docs/cli.md, from the commands' own help
	$(BIN)/python -m tools.make_cli_docs

wheel: $(VENV)/.release ## dist/facialnet_kiosk-*.whl
	rm -rf build
	$(BIN)/python -m release.dlib_models assets/dlib
	$(BIN)/python -m build --wheel
	rm -rf build assets/dlib

lock: $(VENV)/.release ## pin the kiosk alone with hashes: requirements-kiosk.lock
	$(LOCKED) --output-file requirements-kiosk.lock setup.cfg
	for each in $(LOCK_SERVES); do \
	    echo "A wheel of everything for $${each#*:}, Python $${each%:*}?"; \
	    $(BIN)/uv pip install --quiet --dry-run --target $(VENV)/nowhere --python-version $${each%:*} \
	        --python-platform $${each#*:} --require-hashes --only-binary :all: \
	        --requirement requirements-kiosk.lock || exit 1; \
	done

released: wheel ## install the wheel and what is locked into a clean environment, RELEASED=FOLDER
	$(PYTHON) -m venv --clear $(RELEASED)
	$(RELEASED)/bin/python -m pip $(FROM_LOCK) --requirement requirements-kiosk.lock
	$(RELEASED)/bin/python -m pip --disable-pip-version-check install --quiet --no-deps dist/$(WHEEL)
	$(RELEASED)/bin/python -m pip check

sbom: released ## what that environment consists of, with licences: dist/facialnet_kiosk-*.cdx.json
	$(BIN)/cyclonedx-py environment --mc-type application --output-reproducible --output-format JSON \
	    --output-file dist/$(SBOM) $(RELEASED)/bin/python
	$(BIN)/python -m release.sbom dist/$(SBOM)

release: sbom ## everything that is handed out, in dist/, with its SHA-256 sums
	cp requirements-kiosk.lock dist/
	cd dist && sha256sum $(WHEEL) $(SBOM) requirements-kiosk.lock > SHA256SUMS

clean: ## remove .venv and everything built or cached
	rm -rf $(VENV) .alternative build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Stamps, so that the demo needs neither torch nor the developer tools. Both installations are editable.
$(VENV)/.kiosk: $(BIN)/python $(SPEC)
	@echo "Installing the kiosk into $(VENV)."
	$(PIP) --constraint constraints.txt --editable '.[models]'
	@touch $@

$(VENV)/.everything: $(BIN)/python $(SPEC)
	@echo "Installing the kiosk, the trainer and the developer tools into $(VENV). The first time fetches torch: minutes."
	$(PIP) --constraint constraints.txt --editable '.[models,trainer,dev]'
	@touch $(VENV)/.kiosk $@

$(VENV)/.release: $(BIN)/python $(SPEC)
	@echo "Installing what makes a release into $(VENV)."
	$(PIP) --constraint constraints.txt --editable '.[models,release]'
	@touch $(VENV)/.kiosk $@

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
	    { echo "$(PYTHON) is not Python 3.10 or newer. Name one that is: make PYTHON=/path/to/python3"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	    { echo "$(PYTHON) cannot make virtual environments. On Debian and Ubuntu: sudo apt install python3-venv"; exit 1; }
	$(PYTHON) -m venv --clear $(VENV)

# Never fails: the demo and the trainer work without these. A package may exist under a new
# name that provides the old one (libglib2.0-0t64), so what is provided counts as installed.
system-libraries: ## what Qt needs from Debian or Ubuntu: installed where possible, else named
	@command -v apt-get >/dev/null || \
	    { echo "No apt here. Qt needs what Debian calls: $(strip $(SYSTEM_LIBRARIES))"; exit 0; }; \
	present=$$(dpkg-query -W -f '$${db:Status-Abbrev} $${Package} $${Provides}\n' | grep '^.i' | tr ' ,' '\n\n'); \
	missing=; for package in $(SYSTEM_LIBRARIES); do \
	    echo "$$present" | grep -qxF "$$package" || missing="$$missing $$package"; \
	done; \
	[ -n "$$missing" ] || exit 0; \
	sudo=; [ "$$(id -u)" = 0 ] || sudo="sudo -n"; \
	if $$sudo true 2>/dev/null; then \
	    echo "Installing the system libraries that Qt needs:$$missing"; \
	    $$sudo apt-get update -qq; \
	    $$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends \
	        -o DPkg::Lock::Timeout=120 $$missing >/dev/null && exit 0; \
	fi; \
	echo "Qt needs system libraries that are not there yet. Please run:"; \
	echo "  sudo apt install --no-install-recommends$$missing"
