# What you would type. Everything else is in scripts/ and in `odometer help`.

# One release build serves running, testing and checking: these flags are the same in every call, or
# SwiftPM would compile everything again for each (docs/decisions/0006-tests-in-release.md).
SWIFT_FLAGS ?= -c release -Xswiftc -enable-testing
export SWIFT_FLAGS

# Where the distribution of Swift for Linux is unpacked by custom; used if it is not in PATH already.
export PATH := $(PATH):/opt/swift/usr/bin

ODOMETER := .build/release/odometer

.PHONY: help run build test check bench clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: build ## build, start the server and meter the built-in workload (ctrl-C stops it)
	@$(ODOMETER) demo

build: ## set up and build the executable (.build/release/odometer)
	@scripts/setup
	swift build $(SWIFT_FLAGS) --product odometer

test: ## set up, lint, tidy, build, and run every test
	@scripts/setup
	@scripts/check

check: test ## the same: there is one gate

bench: build ## the benchmark, beside PostgreSQL 15 on the same events
	@scripts/setup --bench
	@scripts/bench

clean: ## remove everything that was built
	rm -rf .build Benchmarks/.build
