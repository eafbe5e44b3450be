# Tocsin. Needs Go, make and git; nothing else to build, run and test.

GO ?= go

.PHONY: help build run demo-resolver test bench benchmarks soak lint deb programs clean
.DEFAULT_GOAL := help

help: ## show this
	@sed -n 's/^\([a-z-]*\):.*## /\1	/p' $(MAKEFILE_LIST) | expand -t 16

build: ## build bin/tocsin
	@$(GO) build -trimpath -o bin/tocsin ./cmd/tocsin

# Where the demo is kept, if the environment does not say.
run demo-resolver: export TOCSIN_DATA := $(or $(TOCSIN_DATA),$(HOME)/.local/share/tocsin-demo)

run: build ## start an exchange with made-up data and say what to try
	@bin/tocsin serve --demo

demo-resolver: build ## show a real resolver (Unbound) blocking and unblocking; needs make run beside it and TOCSIN_KEY
	@bin/tocsin demo-resolver

test: programs ## run all tests; what could not be tested is counted at the end
	@scripts/test

bench: ## measure the exchange as it runs, in one table; some minutes
	@TOCSIN_BENCH=1 $(GO) test -count 1 -timeout 30m -v -run '^TestFigures$$' ./cmd/tocsin

benchmarks: ## run the benchmarks of single packages
	$(GO) test -run '^$$' -bench . -benchmem ./...

soak: ## measure ten million, and run the tests that walk at random for long
	@TOCSIN_SOAK=1 $(GO) test -count 1 -timeout 3h -v -run '^TestSoak$$' ./cmd/tocsin
	TOCSIN_SOAK_PAIRS=$${TOCSIN_SOAK_PAIRS:-1000000} TOCSIN_SOAK_KILLS=$${TOCSIN_SOAK_KILLS:-100} \
		$(GO) test -timeout 6h -run 'TestNothingLeaks|TestKill' -v ./cmd/tocsin

lint: ## format, vet and staticcheck (staticcheck.conf says what for)
	@test -z "$$(gofmt -l . | tee /dev/stderr)" || { echo "run: gofmt -w ." >&2; exit 1; }
	$(GO) vet ./...
	$(GO) tool staticcheck ./...

deb: ## build a Debian package into bin; needs dpkg-deb
	@deploy/debian/build bin

programs: # install what tests would have to skip; only as root, on Debian and its kin
	@scripts/programs

clean: ## remove what was built; data stays
	rm -rf bin
