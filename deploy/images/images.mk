# The images, and the docker compose that brings them up: docs/images.md.

ROLLCALL_TAG ?= dev
TAG          ?= $(ROLLCALL_TAG)
IMAGE_PREFIX ?= rollcall
# Public images may stand in for these two; then they are not built.
NATS_IMAGE   ?= $(IMAGE_PREFIX)/nats-server:$(TAG)
JAEGER_IMAGE ?= $(IMAGE_PREFIX)/jaeger:$(TAG)
# What programs and labels say they are. Modules have tags of their own.
VERSION      ?= $(shell git describe --tags --match 'v[0-9]*' --always --dirty 2>/dev/null || echo unknown)

SERVICES    := assignment token-refresher salesforce-pusher retry-scheduler
FROM_MODULE := $(if $(filter $(IMAGE_PREFIX)/%,$(NATS_IMAGE)),nats-server) $(if $(filter $(IMAGE_PREFIX)/%,$(JAEGER_IMAGE)),jaeger)

# The engine may be of another kind than this machine.
ARCH     = $(or $(shell docker version --format '{{.Server.Arch}}' 2>/dev/null),$(shell go env GOARCH))
PROGRAMS = bin/linux-$(ARCH)
# The commit is in the image's labels, not in the binary: a program that nobody
# touched stays the same layer from one commit to the next.
STATIC   = -trimpath -buildvcs=false

nats-server_PACKAGE := github.com/nats-io/nats-server/v2
jaeger_PACKAGE      := github.com/jaegertracing/jaeger/cmd/all-in-one
compose_PACKAGE     := github.com/docker/compose/v5/cmd

# $(call from-module,MODULE,FILE,LDFLAGS) builds a program of a module in tools/.
from-module = CGO_ENABLED=0 GOWORK=off go build -C tools/$(1) $(STATIC) -ldflags '$(3)' -o $(CURDIR)/$(2) $($(1)_PACKAGE)
# The version a module in tools/ pins.
pinned = $(shell awk -v package=$($(1)_PACKAGE) 'index(package, $$1) == 1 && $$2 ~ /^v/ { print $$2 }' tools/$(1)/go.mod)

# For compose, which reads them too.
export NATS_IMAGE JAEGER_IMAGE
export ROLLCALL_TAG := $(TAG)

.PHONY: engine
engine:
	@if ! command -v docker >/dev/null; then \
		echo "this needs a container engine, and there is no docker command (Debian: apt-get install docker.io)" >&2; exit 1; fi; \
	if ! reason=$$(docker version --format '{{.Server.Version}}' 2>&1); then \
		echo "this needs a container engine, and none answers docker: is dockerd running, may you use it? It said:" >&2; echo "$$reason" >&2; exit 1; fi

.PHONY: images
images: engine programs ## Build the container images (TAG, IMAGE_PREFIX, VERSION), see docs/images.md.
	@for name in $(SERVICES) rollcall; do \
		deploy/images/build.sh "$(IMAGE_PREFIX)/$$name:$(TAG)" "$(VERSION)" $(PROGRAMS) "$$name"; done
	@deploy/images/build.sh "$(IMAGE_PREFIX)/emulator:$(TAG)" "$(VERSION)" $(PROGRAMS) rollcall
	@$(foreach name,$(FROM_MODULE),deploy/images/build.sh "$(IMAGE_PREFIX)/$(name):$(TAG)" "$(call pinned,$(name))" $(PROGRAMS) $(name) healthcheck;)

# The static binaries that are in the images.
.PHONY: programs
programs:
	@mkdir -p $(PROGRAMS)
	@CGO_ENABLED=0 GOOS=linux GOARCH=$(ARCH) go build $(STATIC) -ldflags '-s -w' -o $(PROGRAMS)/ $(addprefix ./services/,$(SERVICES) rollcall healthcheck)
	@$(foreach name,$(FROM_MODULE),GOOS=linux GOARCH=$(ARCH) $(call from-module,$(name),$(PROGRAMS)/$(name),-s -w);)

# docker compose, where the engine came without it.
COMPOSE = $(if $(shell docker compose version 2>/dev/null),docker compose,$(CURDIR)/bin/docker-compose)

.PHONY: compose
compose: engine
	@docker compose version >/dev/null 2>&1 || $(MAKE) bin/docker-compose

bin/docker-compose: tools/compose/go.mod tools/compose/go.sum
	$(call from-module,compose,$@,-s -w -X github.com/docker/compose/v5/internal.Version=$(call pinned,compose))
	@touch $@

# The server that tests embed is the server that is run.
.PHONY: pins
pins:
	@embedded=$$(awk '$$1 == "github.com/nats-io/nats-server/v2" { print $$2 }' services/rollcall/go.mod); \
	if [[ "$$embedded" != "$(call pinned,nats-server)" ]]; then \
		echo "NATS is $$embedded in services/rollcall/go.mod and $(call pinned,nats-server) in tools/nats-server/go.mod" >&2; exit 1; fi
