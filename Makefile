# Every target is a line a person could type. Needed: make, python3 (3.11 or newer) with venv, and a network for the first run.
.DEFAULT_GOAL := help
.PHONY: help demo setup packages check test bench soak docs clean

UV := .ci/uv
CHAOS := .venv/bin/python -m tests.chaos

help: ## what there is
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: ## the whole path on this machine, offline after the set-up: keys, submissions, packages, Quittungen, audit trail
	@$(UV) sync --frozen --quiet --inexact --no-dev
	@.venv/bin/intermediary demo

setup: ## .venv with everything that development needs
	@$(UV) sync --frozen --quiet

packages: ## the Debian packages that the tests need (as root, otherwise prints the line to run)
	@.ci/debian-packages

check: setup ## layout, lint, types, direction of imports
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports --no-logo

test: packages check ## check, then every test but the soak
	INTERMEDIARY_SERVERS_REQUIRED=1 .venv/bin/pytest -n 3 --dist loadfile --no-loadscope-reorder

bench: setup ## measured figures of this machine
	.venv/bin/python -m bench

soak: setup packages ## minutes of load and kills, then fresh machines (as root, with mmdebstrap)
	.venv/bin/pytest -m soak
	.venv/bin/python -m tests.soak.daemon_kills --messages 2000 --kills 20 --seed 1
	.venv/bin/python -m tests.soak.daemon_kills --messages 1000 --kills 20 --seed 2 --engine postgresql --database-kills 40
	$(CHAOS) campaign --engine sqlite --kills 500 --stops 60 --seed 1
	$(CHAOS) campaign --engine postgresql --kills 500 --broker-kills 100 --alarms 10 --database-kills 100 --moods 40 --network-faults 300 --stops 60 --seed 2
	$(CHAOS) campaign --engine sqlite --stops 20 --share 0.5 --seed 3
	$(CHAOS) campaign --engine postgresql --stops 20 --share 0.5 --seed 4
	for engine in sqlite postgresql; do for way in folder queue; do $(CHAOS) syscalls --engine $$engine --way $$way || exit 1; done; done
	$(CHAOS) disk-full --engine sqlite --times 50 --kills 10
	$(CHAOS) disk-full --engine postgresql --times 50 --kills 10
	$(CHAOS) disk-full --engine postgresql --times 50 --kills 10 --volume database
	.venv/bin/python -m tests.soak.rolling_upgrade --messages 600 --kills 12 --seed 1
	for scene in births twins rot; do for engine in sqlite postgresql; do $(CHAOS) $$scene --engine $$engine || exit 1; done; done
	for engine in sqlite postgresql; do .venv/bin/python -m tests.soak.restores --rounds 10 --engine $$engine || exit 1; done
	.venv/bin/python -m tests.soak.bulk_replay --messages 2000 --rate 50 --kills 10
	.venv/bin/python -m tests.soak.bulk_replay --messages 1000 --rate 50 --kills 10 --engine postgresql
	.venv/bin/python -m tests.soak.hostile_daemon
	.venv/bin/python -m tests.soak.hostile_xta
	for scene in sftp rest-native rest-lookup rest-none rest-steps rest-callback; do .venv/bin/python -m tests.soak.connector_kills $$scene || exit 1; done
	for scene in amqp-native amqp-none soap-native soap-lookup soap-none eakte-amqp eakte-sftp eakte-rest eakte-soap eakte-asked; do .venv/bin/python -m tests.soak.deliver_kills $$scene || exit 1; done
	.venv/bin/python -m tests.soak.cmis_kills --messages 300 --kills 30 --seed 1
	for kind in sftp rest-raw rest-multipart rest-json cmis cmis-whole; do .venv/bin/python -m tests.soak.connector_large $$kind || exit 1; done
	.venv/bin/python -m tests.soak.step_kills --messages 300 --kills 30 --seed 1
	.venv/bin/python -m tests.soak.fuzz --seconds 120
	.venv/bin/python -m tests.soak.osci_dialog --messages 1000 --kills 50 --seed 1
	.venv/bin/python -m tests.soak.osci_dialog --messages 300 --kills 15 --seed 4 --chunked
	.venv/bin/python -m tests.soak.xta_dialog --messages 1000 --kills 20 --seed 1
	.venv/bin/python tests/packaging/dockerfile_chroot.py
	tests/packaging/fresh_chroot.sh demo test

docs: setup ## the generated reference pages
	.venv/bin/python -m intermediary.testing.reference docs/reference

clean: ## removes what make made
	rm -rf .venv .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist demo .state
