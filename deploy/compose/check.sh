#!/usr/bin/env bash
# check.sh CONFIG ACCOUNTS VOLUME says before anything is started what the containers
# would fail at: make up calls it. VOLUME is where the other kind of installation
# (one NATS server, or three) keeps its streams.
set -euo pipefail
config=$1 accounts=$2 other=$3
here=$(dirname "$0")

# They run as a user of their own, and what is mounted keeps its mode.
unreadable=()
for file in "$config" "$accounts" "$here"/nats/*.conf; do
	if [[ ! -f $file ]]; then
		echo "there is no file $file" >&2
		exit 1
	fi
	[[ -n $(find -L "$file" -perm -o=r) ]] || unreadable+=("$file")
done
if ((${#unreadable[@]})); then
	echo "the containers' user cannot read what only you may read (no secret is in it): chmod o+r ${unreadable[*]}" >&2
	exit 1
fi

if docker volume inspect "$other" >/dev/null 2>&1; then
	echo "there is an installation with another number of NATS servers (its streams are in the volume $other), and it does not change" >&2
	echo "by itself: make up with CLUSTER as it was, or make down DATA=gone, which removes what it has." >&2
	exit 1
fi

# Permissions name orgs and sources. Yours may say more than is generated.
if ! bin/rollcall permissions --config "$config" | cmp -s - "$accounts"; then
	echo "Warning: $accounts is not what this configuration needs. To make it so:" >&2
	echo "  bin/rollcall permissions --config $config >ACCOUNTS, and name that file in ROLLCALL_NATS_ACCOUNTS; NATS reads it when it starts" >&2
fi
