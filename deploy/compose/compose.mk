# The stack of containers: docs/compose.md.

# demo runs an emulated Salesforce org too; for a real one, PROFILES= and your own
# ROLLCALL_CONFIG and ROLLCALL_SECRETS. observe adds Prometheus and Grafana.
PROFILES ?= demo
ROLLCALL_SECRETS ?= $(CURDIR)/deploy/compose/secrets
export ROLLCALL_SECRETS

STACK = $(COMPOSE) -f deploy/compose/compose.yaml $(if $(CLUSTER),-f deploy/compose/compose.cluster.yaml) $(addprefix --profile ,$(PROFILES))

.PHONY: up
up: images compose build ## Bring the stack of containers up (PROFILES=demo, CLUSTER=1 for three NATS nodes).
	bin/rollcall keys compose "$(ROLLCALL_SECRETS)"
	$(STACK) up --detach --wait --wait-timeout 180
	@echo
	@echo "All is up. What to try:"
	@echo "  bin/rollcall publish services/rollcall/demo/workers.csv --mapping services/rollcall/demo/workers.yaml \\"
	@echo "    --config deploy/compose/operator.yaml --nkey deploy/compose/secrets/publisher-hr.nkey"
	@echo "  bin/rollcall status --config deploy/compose/operator.yaml"
	@echo "  bin/rollcall tasks list --config deploy/compose/operator.yaml"
	@echo "  http://127.0.0.1:16686/api/services   what Jaeger has traces of (http://127.0.0.1:16686 with its public image)"

.PHONY: down
down: compose ## Take the stack of containers down; its data stays (DATA=gone removes it).
	$(STACK) down $(if $(filter gone,$(DATA)),--volumes)

.PHONY: logs
logs: compose ## Follow the logs of the stack of containers.
	$(STACK) logs --follow --tail 100
