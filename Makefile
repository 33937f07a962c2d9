# What CI runs is what you run: make check.

SHELL       := /bin/bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS   += --no-print-directory

MODULES      := pkg/events pkg/salesforce services services/rollcall test/chaos test/conformance test/house test/integration test/mutants
LINT_VERSION := v2.15.0
LINT         := bin/golangci-lint-$(LINT_VERSION)
MAX_LINES    := 600

include deploy/images/images.mk
include deploy/compose/compose.mk
include tools/modules/modules.mk

# each runs a command in every module, all of them even if one fails.
define each
	@failed=(); \
	for module in $(MODULES); do \
		(cd "$$module" && $(1)) || failed+=("$$module"); \
	done; \
	if (( $${#failed[@]} )); then echo "failed in: $${failed[*]}" >&2; exit 1; fi
endef

# files are those of the tree that match, new ones too, deleted ones not.
files = git ls-files -co --exclude-standard $(1) | while IFS= read -r f; do if [[ -e "$$f" ]]; then echo "$$f"; fi; done

.PHONY: help
help: ## Show this list.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: build ## Run everything in one process: an HR export becomes users of an emulated Salesforce org.
	bin/rollcall up --demo

.PHONY: build
build: ## Build the rollcall binary into bin/.
	go build -trimpath -o bin/rollcall ./services/rollcall

.PHONY: test
test: ## Test all modules, with the race detector and in random order.
	$(call each,go test -race -shuffle=on -timeout 25m ./...)

# Helm's dependencies stay out of the workspace, so this module is no part of it.
.PHONY: chart
chart: $(LINT) ## Check the Helm chart, and what alerts and dashboard look at, without a cluster.
	cd test/chart && GOWORK=off go test -count=1 ./...
	cd test/chart && GOWORK=off go mod tidy -diff
	cd test/chart && GOWORK=off "$(CURDIR)/$(LINT)" run ./...

.PHONY: alerts
alerts: $(LINT) ## See every alert fire in Prometheus' own engine.
	cd test/alerts && GOWORK=off go test -count=1 ./...
	cd test/alerts && GOWORK=off "$(CURDIR)/$(LINT)" run ./...

.PHONY: bench
bench: ## From DIRECTORY to Salesforce beside one raw durable hop, in one run; then one idle event at a time.
	cd services/rollcall && go test -run '^$$' -bench EventsToSalesforce -benchtime 20000x -count 3 ./up
	cd services/rollcall && go test -run '^$$' -bench IdleEvent -benchtime 1000x ./up

.PHONY: bench-parts
bench-parts: ## Run the benchmarks of every part.
	$(call each,go test -run '^$$' -bench . -benchmem ./...)

# That each fits the code is part of make test. All of them take about ten minutes.
.PHONY: mutants
mutants: ## Break the code in one place after another, and see a test fail for each; MUTANTS=plan for one room.
	go run ./test/mutants $(MUTANTS)

.PHONY: rotations
rotations: ## 2,000 rotations of refresh tokens while token-refresher is killed; make test does fewer.
	cd services && ROLLCALL_ROTATIONS=2000 go test -count=1 -v -run TestRotations ./token-refresher/refresh

.PHONY: integration
integration: images ## Run the system's tests against containers: one NATS node, then three.
	$(call suite,compose)
	$(call suite,cluster)

# Tests of the system are the same against processes, which is what make test
# does. No reaper watches over these containers: its image would be pulled, and
# the tests take down what they bring up.
suite = cd test/integration && ROLLCALL_STACK=$(1) ROLLCALL_TAG=$(TAG) TESTCONTAINERS_RYUK_DISABLED=true \
	go test -tags containers -shuffle=on -count=1 -parallel 2 -timeout 12m $(TESTFLAGS) ./...

# A fresh seed is printed; it and the same MINUTES draw the same plan.
.PHONY: chaos
chaos: ## Everything goes wrong, as a seed draws it, and must end right: SEED=7 MINUTES=2.
	go run ./test/chaos $(chaos)

.PHONY: chaos-seeds
chaos-seeds: ## So many seeds, short and some at once: SEEDS=20 JOBS=2 SEED=1.
	go run ./test/chaos $(chaos) -seeds $(or $(SEEDS),20) -jobs $(or $(JOBS),2)

.PHONY: chaos-faults
chaos-faults: ## Break the programs in one place after another, and see chaos catch each: ONLY=leaver.
	go run ./test/chaos $(chaos) -faults -jobs $(or $(JOBS),2) -only "$(ONLY)"

chaos-faults chaos-seeds: MINUTES ?= 0.7
chaos = -seed $(or $(SEED),0) -minutes $(or $(MINUTES),2)$(if $(MANUAL), -manual=$(MANUAL))

.PHONY: fmt
fmt: ## Format the Go code.
	gofmt -w $(MODULES)

.PHONY: generate
generate: ## Write the generated files anew.
	$(call each,go generate ./...)

.PHONY: check
check: static test chart alerts ## Everything CI checks, tests included.

.PHONY: static
static: fmt-check lines words links commands imports nolint pins generated tidy vet lint ## Everything CI checks, but the tests.

.PHONY: fmt-check
fmt-check:
	@unformatted=$$(gofmt -l $(MODULES)); \
	if [[ -n "$$unformatted" ]]; then echo "not formatted (make fmt):"; echo "$$unformatted"; exit 1; fi

# How long a function may be is golangci-lint's business (funlen).
.PHONY: lines
lines:
	@$(call files,'*.go') | xargs -r wc -l | \
		awk '$$2 != "total" && $$1 >= $(MAX_LINES) { print $$2 ": " $$1 " lines, the limit is $(MAX_LINES)"; bad = 1 } END { exit bad }'

# Nothing half done, and no path of somebody's machine.
.PHONY: words
words:
	@if git grep -nE '(^|[^[:alnum:]])(TODO|FIXME|XXX)([^[:alnum:]]|$$)|/(home|Users|root|work)/[a-z]' -- ':!Makefile' ':!*.sum'; then \
		echo "unfinished work or a path of one machine, see above" >&2; exit 1; fi

# A link from one page to a file that is not there.
.PHONY: links
links:
	@bad=0; while IFS=: read -r page link; do \
		target=$${link#](}; target=$${target%%[)#]*}; \
		if [[ -n "$$target" && ! -e "$$(dirname "$$page")/$$target" ]]; then echo "$$page: no $$target"; bad=1; fi; \
	done < <($(call files,'*.md') | xargs -r grep -oHE '\]\([^)]+\)' | grep -vE '\]\((https?|mailto):'); exit $$bad

# Every command that a page shows, with its flags, is one the binary has.
.PHONY: commands
commands:
	@go build -o bin/rollcall ./services/rollcall; bad=0; \
	while IFS= read -r line; do \
		words=$$(sed -E 's/ +#.*//; s/^(go run .\/services\/|bin\/)?rollcall //; s/"[^"]*"/X/g' <<<"$$line"); \
		if ! help=$$(bin/rollcall $$words --help 2>&1) || grep -q 'Available Commands' <<<"$$help"; then echo "no such command: $$line"; bad=1; fi; \
	done < <($(call files,'*.md') | xargs -r awk '/^ *```/ { code = !code; next } code' | sed -E 's/^ +//' | grep -E '^(go run \./services/|bin/)?rollcall '); \
	exit $$bad

# Packages named ...test help tests and never ship. golangci-lint's depguard
# knows the directions between rooms; this rule needs no list of packages.
.PHONY: imports
imports:
	$(call each,go list -f '{{$$path := .ImportPath}}{{range .Imports}}{{$$path}} imports {{.}}{{"\n"}}{{end}}' ./... | \
		awk '$$1 !~ /test$$/ && $$3 ~ /^github.com\/rollcall-sync\/.*test$$/ { print; bad = 1 } END { exit bad }')

# nolintlint looks at linters that are on; a nolint of one that is off says
# nothing.
.PHONY: nolint
nolint:
	@on=$$(awk '/^linters:/ { linters = 1 } linters && /^  enable:/ { list = 1; next } list && /^  [a-z]/ { exit } list && $$1 == "-" { print $$2 }' .golangci.yaml | xargs); \
	$(call files,'*.go') | xargs -r awk -v on="$$on" ' \
		BEGIN { split(on, names, " "); for (i in names) enabled[names[i]] } \
		match($$0, /\/\/nolint:[a-z0-9,]+/) { \
			count = split(substr($$0, RSTART + 9, RLENGTH - 9), asked, ","); \
			for (i = 1; i <= count; i++) if (!(asked[i] in enabled)) { print FILENAME ":" FNR ": nolint of " asked[i] ", which .golangci.yaml does not enable"; bad = 1 } \
		} \
		END { exit bad }'

# Compares before and after rather than with the last commit, so that it holds
# in the middle of a change too.
.PHONY: generated
generated:
	@snapshot() { $(call files) | { xargs -r grep -lE '^(<!-- Generated|// Code generated)' || true; } | sort | xargs -r sha256sum; }; \
	before=$$(snapshot); $(MAKE) generate; after=$$(snapshot); \
	if ! diff <(echo "$$before") <(echo "$$after"); then echo "generated files were out of date; they are new now" >&2; exit 1; fi

.PHONY: vet
vet:
	$(call each,go vet ./...)
	cd test/integration && go vet -tags containers ./...

.PHONY: lint
lint: $(LINT) ## Run the linters.
	$(call each,"$(CURDIR)/$(LINT)" run ./...)
	cd test/integration && "$(CURDIR)/$(LINT)" run --build-tags containers ./...

$(LINT):
	GOBIN="$(CURDIR)/bin" go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(LINT_VERSION)
	mv bin/golangci-lint $@
