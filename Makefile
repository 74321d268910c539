# Everything that people and the CI run here. `make help` lists it.

SHELL     := bash
.SHELLFLAGS := -euo pipefail -c
GO        ?= go
TOOL      := $(GO) tool -modfile=tools/go.mod
VERSION   ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
LDFLAGS   := -s -w -X main.version=$(VERSION)
FUZZTIME  ?= 1m
BENCH     ?= .

# Pure packages start no goroutine, so the race detector would find nothing there.
RACY       = $(shell $(GO) list ./... | grep -Ev '/(rules|authority)(/|$$)')
# Long tests carry the build tag `long`; only the packages that have some are run.
LONG       = $(shell grep -rl --include='*_test.go' '^//go:build long' . | xargs -r -n1 dirname | sort -u)
# Every fuzz target as folder:name.
FUZZ       = $(shell grep -ro --include='*_test.go' '^func Fuzz[A-Za-z0-9_]*' . | sed -E 's|/[^/]*:func |:|' | sort -u)

.DEFAULT_GOAL := help
.PHONY: help build test test-race test-long bench intake fuzz lint fmt

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

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
	$(TOOL) golangci-lint run --build-tags long ./...

fmt: ## Format all Go files
	$(TOOL) gofumpt -w .
