#!/usr/bin/env bash
# build.sh IMAGE VERSION FROM FILE... builds one image of files in the folder
# FROM: make images calls it.
#
# What goes in has one date and one mode, whoever builds it and with whatever
# umask, so that the same binary is the same layer everywhere.
set -euo pipefail
image=$1 version=$2 from=$3
shift 3
here=$(dirname "$0")
name=${image##*/}
name=${name%%:*}

context=bin/images/$name
rm -rf "$context"
mkdir -p "$context/owned/data" # a volume's folder, for the images that keep something
for file in "$@"; do
	install -m 0755 "$from/$file" "$context/$file"
done
find "$context" -exec env TZ=UTC touch -t 202001010000 {} +
chmod -R u=rwX,go=rX "$context"

# The classic builder and BuildKit both do; the first calls itself deprecated
# at every build, so what they say is shown only where one fails.
if ! said=$(docker build --quiet --tag "$image" --file "$here/$name.Dockerfile" --build-arg "VERSION=$version" \
	--label "org.opencontainers.image.title=$name" \
	--label "org.opencontainers.image.version=$version" \
	--label "org.opencontainers.image.revision=$(git rev-parse HEAD 2>/dev/null || echo unknown)" \
	--label "org.opencontainers.image.source=https://github.com/rollcall-sync/rollcall" \
	--label "org.opencontainers.image.licenses=Apache-2.0" \
	"$context" 2>&1); then
	echo "$image was not built:" >&2
	echo "$said" >&2
	exit 1
fi
docker image inspect --format "{{.Size}} {{.Id}}" "$image" | awk -v image="$image" '{ printf "  %-32s %6.1f MB  %s\n", image, $1 / 1e6, substr($2, 8, 12) }'
