# The stack of containers: docs/compose.md.

# demo runs an emulated Salesforce org too; for a real one, PROFILES= and your own
# ROLLCALL_CONFIG and ROLLCALL_SECRETS. observe adds Prometheus and Grafana.
PROFILES ?= demo

# Compose would look for a relative path beside compose.yaml, and not where
# make was called.
absolute = $(if $(filter /%,$(1)),$(1),$(CURDIR)/$(1))
override ROLLCALL_CONFIG        := $(call absolute,$(or $(ROLLCALL_CONFIG),deploy/compose/rollcall.yaml))
override ROLLCALL_SECRETS       := $(call absolute,$(or $(ROLLCALL_SECRETS),deploy/compose/secrets))
override ROLLCALL_NATS_ACCOUNTS := $(call absolute,$(or $(ROLLCALL_NATS_ACCOUNTS),deploy/compose/nats/accounts.conf))
for-stack = ROLLCALL_CONFIG="$(ROLLCALL_CONFIG)" ROLLCALL_SECRETS="$(ROLLCALL_SECRETS)" ROLLCALL_NATS_ACCOUNTS="$(ROLLCALL_NATS_ACCOUNTS)"

STACK = $(for-stack) $(COMPOSE) -f deploy/compose/compose.yaml $(if $(CLUSTER),-f deploy/compose/compose.cluster.yaml) $(addprefix --profile ,$(PROFILES))
# Whatever of it was brought up. Compose removes the volumes of the files it is
# given, and those of one server and of three are not the same.
SINGLE = $(for-stack) $(COMPOSE) -f deploy/compose/compose.yaml --profile '*'
WHOLE  = $(SINGLE) -f deploy/compose/compose.cluster.yaml

# What the operator's commands are told; operator.yaml is about the usual ones.
OPERATOR = $(if $(NATS_PORT),ROLLCALL_NATS_URL=tls://127.0.0.1:$(NATS_PORT) )bin/rollcall
OPERATOR_CONFIG = $(if $(filter $(CURDIR)/deploy/compose/secrets,$(ROLLCALL_SECRETS)),deploy/compose/operator.yaml,YOUR-OPERATOR.yaml)

.PHONY: up
up: images compose build ## Bring the stack of containers up (PROFILES=demo, CLUSTER=1 for three NATS nodes).
	bin/rollcall keys compose "$(ROLLCALL_SECRETS)" --config "$(ROLLCALL_CONFIG)"
	@deploy/compose/check.sh "$(ROLLCALL_CONFIG)" "$(ROLLCALL_NATS_ACCOUNTS)" "$(or $(COMPOSE_PROJECT_NAME),rollcall)_$(if $(CLUSTER),nats,nats-0)"
	@$(STACK) up --detach --wait --wait-timeout 180 || { deploy/compose/why.sh $(STACK); exit 1; }
	@echo
	@echo "All is up. What to try:"
	@$(if $(filter demo,$(PROFILES)),\
		echo "  $(OPERATOR) publish services/rollcall/demo/workers.csv --mapping services/rollcall/demo/workers.yaml \\" && \
		echo "    --config deploy/compose/operator.yaml --nkey deploy/compose/secrets/publisher-hr.nkey")
	@echo "  $(OPERATOR) status --config $(OPERATOR_CONFIG)"
	@echo "  $(OPERATOR) tasks list --config $(OPERATOR_CONFIG)"
	@echo "  http://127.0.0.1:$(or $(JAEGER_PORT),16686)/api/services   what Jaeger has traces of (http://127.0.0.1:$(or $(JAEGER_PORT),16686) with its public image)"

.PHONY: down
down: compose ## Take the stack of containers down; its data stays (DATA=gone removes it).
	@$(WHOLE) down $(if $(filter gone,$(DATA)),--volumes && $(SINGLE) down --volumes)

.PHONY: logs
logs: compose ## Follow the logs of the stack of containers.
	$(STACK) logs --follow --tail 100
