# The verbs of this repository. `make` alone lists them.
# Everything they need is checked (and, where possible, installed) by `make setup` first.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

export PATH := $(HOME)/.cargo/bin:$(PATH)
export TARGET_DIR := $(or $(CARGO_TARGET_DIR),target)

# Further flags for cargo, as in `make test CARGO_FLAGS=--locked`.
CARGO_FLAGS ?=
# How many random histories `make torture` runs, and how many at a time.
HISTORIES ?= 200
JOBS ?= 2
# Further arguments for the tests, as in `make test TEST_ARGS="--test it crash"`.
TEST_ARGS ?=

.PHONY: help
help: ## List the verbs
	@grep -hE '^[a-z]+:.*## ' Makefile | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 16

.PHONY: setup
setup: ## Check what the other verbs need; install what can be installed
	@scripts/setup.sh

.PHONY: tools
tools: ## Install what only tests need: other readers of the tables, S3 servers
	@scripts/tools.sh

.PHONY: demo
demo: setup ## Build in release, then make, load, build and show the demo company
	cargo build --release $(CARGO_FLAGS) --package throughline
	"$$TARGET_DIR/release/throughline" demo --dir "$$TARGET_DIR/demo" --no-serve

.PHONY: test
test: setup tools ## Run every test of the workspace
	cargo test --workspace --no-fail-fast $(CARGO_FLAGS) $(TEST_ARGS)

.PHONY: torture
torture: setup ## Crash at every point, run HISTORIES= random histories, load a year day by day
	cargo build --release $(CARGO_FLAGS) --package throughline
	THROUGHLINE_PROGRAM="$$(realpath "$$TARGET_DIR")/release/throughline" \
	THROUGHLINE_CRASHES=1 THROUGHLINE_DAYS_PER_RUN=1 \
	THROUGHLINE_HISTORIES="$(HISTORIES)" THROUGHLINE_JOBS="$(JOBS)" \
	    cargo test $(CARGO_FLAGS) --package throughline --test it torture -- \
	    --nocapture --test-threads=1

.PHONY: lint
lint: setup ## Formatting, clippy without warnings, tidy, licences
	cargo fmt --all --check
	cargo run --quiet $(CARGO_FLAGS) --package xtask -- tidy
	CARGO_TARGET_DIR="$$TARGET_DIR/lint" \
	    cargo clippy --workspace --all-targets $(CARGO_FLAGS) -- --deny warnings
	@if command -v cargo-deny >/dev/null; then cargo deny check bans licenses sources; \
	else echo "cargo-deny is not installed: licences were checked by tidy alone"; fi

.PHONY: bench
bench: setup ## Throughline against DuckDB by hand; EVENTS=, DAYS=, SEED=, REPEAT=, ROUNDS=, GROWTH=1
	cargo build --release $(CARGO_FLAGS) --package throughline
	cargo build --release $(CARGO_FLAGS) --package journeys --example fit_paths
	@scripts/bench.sh "$$TARGET_DIR"

.PHONY: fmt
fmt: setup ## Format the code
	cargo fmt --all

.PHONY: docs
docs: setup ## Write docs/reference from the code
	cargo run --quiet $(CARGO_FLAGS) --package xtask -- gen
