# What you would type. Everything else is in scripts/ and in `odometer help`.

# One release build serves running, testing and checking: these flags are the same in every call, or
# SwiftPM would compile everything again for each (docs/decisions/0006-tests-in-release.md).
SWIFT_FLAGS ?= -c release -Xswiftc -enable-testing
export SWIFT_FLAGS

# Where the distribution of Swift for Linux is unpacked by custom; used if it is not in PATH already.
export PATH := $(PATH):/opt/swift/usr/bin

ODOMETER := .build/release/odometer

.PHONY: help run build test check format bench clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: build ## build, start the server and meter the built-in workload (ctrl-C stops it)
	@$(ODOMETER) demo

build: ## set up and build the executable (.build/release/odometer)
	@scripts/setup --run
	swift build $(SWIFT_FLAGS) --product odometer

test: ## set up, lint, tidy, build, and run every test
	@scripts/setup
	@scripts/check

check: test ## the same: there is one gate

format: ## format every Swift file in place
	@scripts/format

# What to measure; `Benchmarks/.build/release/odometer-bench` without a word lists all there is.
BENCH ?= compare

bench: build ## measure beside PostgreSQL 15, on the same events; BENCH="http --batch 1,1000"
	@scripts/setup --bench
	swift build -c release --package-path Benchmarks
	Benchmarks/.build/release/odometer-bench $(BENCH) $(if $(filter peer sample,$(BENCH)),,--server-bin $(ODOMETER))

clean: ## remove everything that was built
	rm -rf .build Benchmarks/.build
