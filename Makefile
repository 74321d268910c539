# Everything that people and the CI run here. `make help` lists it.

SHELL     := bash
.SHELLFLAGS := -euo pipefail -c
GO        ?= go
TOOL      := $(GO) tool -modfile=tools/go.mod
VERSION   ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
LDFLAGS   := -s -w -X main.version=$(VERSION)
FUZZTIME  ?= 1m
BENCH     ?= .
# What make quality is told besides: -update, -runs=N, -cells='10/s .* drift'; and
# quality-full, to be stopped and gone on with, and to take less in full than everything:
# -keep=FOLDER, -controls='none|1:1', -rest (all that is not chosen as make quality does)
QUALITY   ?=

# Pure packages start no goroutine, so the race detector would find nothing there.
RACY       = $(shell $(GO) list ./... | grep -Ev '/(rules|authority)(/|$$)')
# Long tests carry the build tag `long`; only the packages that have some are run.
LONG       = $(shell grep -rl --include='*_test.go' '^//go:build long' . | xargs -r -n1 dirname | sort -u)
# Every fuzz target as folder:name.
FUZZ       = $(shell grep -ro --include='*_test.go' '^func Fuzz[A-Za-z0-9_]*' . | sed -E 's|/[^/]*:func |:|' | sort -u)

.DEFAULT_GOAL := help
.PHONY: help build test test-race test-long bench intake quality quality-full quality-tune fuzz lint fmt

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## Build the static binary bin/bakewatch
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o bin/bakewatch ./cmd/bakewatch

test: ## Run the everyday tests
	$(GO) test ./...

test-race: ## Run the tests of all packages that have goroutines under the race detector
	CGO_ENABLED=1 $(GO) test -race -timeout 20m $(RACY)

test-long: ## Run the longer tests: faults, kills, clusters, simulation
	@if [ -z "$(LONG)" ]; then echo "no long tests"; else set -x; $(GO) test -tags long -timeout 20m $(LONG); fi

bench: ## Run the benchmarks (BENCH=regexp chooses)
	$(GO) test -run '^$$' -bench '$(BENCH)' -benchmem ./...

intake: ## Measure how fast events are taken in, beside this machine's raw synced publishes
	$(GO) test -run '^$$' -bench '^BenchmarkIntake$$' -benchtime 1x -timeout 20m ./cmd/bakewatch

quality: ## Measure how well deployments are decided, beside other tools (QUALITY=-update writes the page)
	@$(GO) test -run '^$$' -bench '^BenchmarkQuality$$' -benchtime 1x -timeout 20m ./watcher/replay/quality -args $(QUALITY)

quality-full: ## The same from 10,000 healthy deployments of every kind; about 65 minutes of one core
	@$(GO) test -run '^$$' -bench '^BenchmarkQuality$$' -benchtime 1x -timeout 24h ./watcher/replay/quality -args -full $(QUALITY)

quality-tune: ## Tune the other tools of make quality anew
	$(GO) test -run '^$$' -bench '^BenchmarkTune$$' -benchtime 1x -timeout 2h ./watcher/replay/quality -args -tune

fuzz: ## Fuzz every target for FUZZTIME (default 1m) each
	@for target in $(FUZZ); do \
		echo "fuzz $$target"; \
		$(GO) test -run '^$$' -fuzz "^$${target#*:}$$" -fuzztime $(FUZZTIME) "$${target%:*}"; \
	done

lint: ## Check format, vet, and lint; the arrows between packages as well
	@unformatted="$$($(TOOL) gofumpt -l .)"; \
	if [ -n "$$unformatted" ]; then echo "not formatted; run make fmt:"; echo "$$unformatted"; exit 1; fi
	$(GO) vet ./...
	$(GO) vet -tags long ./...
	$(TOOL) golangci-lint run --allow-parallel-runners --build-tags long ./...

fmt: ## Format all Go files
	$(TOOL) gofumpt -w .
