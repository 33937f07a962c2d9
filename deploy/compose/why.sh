#!/usr/bin/env bash
# why.sh [NAME=VALUE...] COMPOSE... says of a stack that did not come up which containers are
# not well, and the last they said: make up calls it.
set -euo pipefail

echo >&2
echo "The stack did not come up. Not well:" >&2
env "$@" ps --all --format '{{.Service}}|{{.State}}|{{.ExitCode}}|{{.Health}}|{{.Name}}' |
	while IFS='|' read -r service state code health name; do
		case "$state $code $health" in
		*unhealthy) ;;
		running* | created* | "exited 0 "*) continue ;;
		esac
		echo "== $service ($state${health:+, $health}, exit code $code)" >&2
		docker logs --tail 8 "$name" >&2 || true
	done
echo "Correct that and make up again: it keeps what is there. make logs shows everything, make down takes it down, its data stays." >&2
