# `make` lists what there is. Every target sets up what it needs first (setup.sh); that is quick the second time.
.DEFAULT_GOAL := help
.PHONY: help demo install uninstall deb test bench chaos arm fuzz restarts check docs icons lock setup
BIN := .venv/bin
export PATH := $(CURDIR)/.venv/bin:$(PATH)
NAME ?= all
MINUTES ?= 15
TIMES ?= 200
COMPILE = $(BIN)/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-annotate \
	--custom-compile-command "make lock" $(if $(UPGRADE),--upgrade)

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 18

demo: ## try it on this machine; LAN=1 lets phones on this network answer the door
	@./setup.sh
	@$(BIN)/intercom demo $(if $(LAN),--lan)

install: ## put it on this machine as a service that starts at boot; again for an upgrade
	@systemd/install.sh install

uninstall: ## take it off this machine; PURGE=1 takes its settings and state as well
	@systemd/install.sh uninstall $(if $(PURGE),purge)

deb: ## build a .deb for this machine; SUITE=bookworm ARCH=arm64 for another
	@./setup.sh
	@$(BIN)/python -m deb $(if $(SUITE),--suite $(SUITE)) $(if $(ARCH),--arch $(ARCH))

test: setup ## all tests, beside lint, types and import rules; PART=space runs one part's alone
	@$(BIN)/python -m tests $(if $(PART),--part $(PART))

check: setup ## lint, types and import rules
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports

bench: ## the published figures; NAME=press-to-ring runs one
	@./setup.sh --bench
	@$(BIN)/python -m bench $(NAME)

chaos: setup ## pull everything at random under calls, on a real kernel; MINUTES=15, SEED=n
	@$(BIN)/python -m tests.hardware.chaos --minutes $(MINUTES) $(if $(SEED),--seed $(SEED))

arm: setup ## the .deb on an emulated ARM machine, from its installation to its purge, and a Pi's pins; once a release
	@INTERCOM_HARDWARE=on $(BIN)/python -m tests.arm

fuzz: setup ## mutated input for everything that reads what others send; MINUTES=15, SEED=n
	@$(BIN)/python -m tests.fuzz --minutes $(MINUTES) $(if $(SEED),--seed $(SEED))

restarts: setup ## end door, space and page in many orders as they ring and talk; TIMES=200, SEED=n
	@$(BIN)/python -m tests.restarts --times $(TIMES) $(if $(SEED),--seed $(SEED))

docs: setup ## write the generated pages anew
	@$(BIN)/python -c 'from intercom.config import reference_markdown as page; print(page(), end="")' > docs/configuration.md
	@$(BIN)/python -c 'from intercom.door.state_table import page; print(page(), end="")' > docs/states.md
	@$(BIN)/python -c 'from intercom.door.health.faults import page; print(page(), end="")' > docs/faults.md
	@$(BIN)/python -c 'from intercom.cli.manual import man_page as page; print(page(), end="")' > docs/intercom.1
	@$(BIN)/python -m shtab --shell bash intercom.cli.main.parser > docs/intercom.bash
	@$(BIN)/python -c 'from intercom.cli.manual import write_lists; write_lists("docs/commands.md", "docs/ssh.md")'
	@$(BIN)/python -m tests.architecture > docs/architecture.md
	@$(BIN)/python -m tests.signalwire.reference

icons: setup ## draw the page's icons anew from icon.svg
	@$(BIN)/python -m tests.station.icons

lock: ## pin all Python packages, with hashes; UPGRADE=1 takes the newest of each
	@./setup.sh
	@$(BIN)/pip install --quiet --disable-pip-version-check uv==0.13.9
	@$(COMPILE) pyproject.toml --extra notify --output-file requirements.lock
	@$(COMPILE) pyproject.toml --extra notify --extra test -c requirements.lock --output-file requirements-test.lock
	@$(COMPILE) pyproject.toml --extra notify --extra test --extra bench -c requirements-test.lock --output-file requirements-bench.lock
	@$(subst 3.11,3.13,$(COMPILE)) tests/integrations/mqtt/home_assistant.in \
		--output-file tests/integrations/mqtt/home_assistant.lock
	@echo setuptools | $(COMPILE) - -c requirements.lock --output-file requirements-build.lock

setup:
	@./setup.sh --test
