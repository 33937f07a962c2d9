#!/usr/bin/env bash
# Tidies the module in the current folder; with -diff it says what that would
# change instead. The modules ask each other for the version that is released
# next, which no proxy has: their folders, as go.work names them, stand for it.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
export GOWORK=off

copy=$(mktemp -d)
touch go.sum # a module that needs nothing has none
trap 'rm -rf "$copy"; [[ -s go.sum ]] || rm -f go.sum' EXIT
cp go.mod go.sum "$copy"
siblings=() forget=()
while read -r path version folder; do
	siblings+=("-replace=$path@$version=$root/$folder")
	forget+=("-dropreplace=$path@$version")
done < <(awk '/ => / { print $1, $2, $4 }' "$root/go.work")

go mod edit "${siblings[@]}" "$copy/go.mod"
go mod tidy -modfile="$copy/go.mod" "$@"
if (($# == 0)); then
	go mod edit "${forget[@]}" "$copy/go.mod"
	cp "$copy/go.mod" "$copy/go.sum" .
fi
