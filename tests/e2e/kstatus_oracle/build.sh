#!/bin/sh
# Builds the real kstatus as a program: tests/e2e/kstatus_oracle/build.sh OUTPUT. Needs Go and a module proxy.
set -eu

output=$1
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cd "$work"
cp "$here/main.go" .
printf 'module oracle\n\ngo 1.22\n' >go.mod
go get sigs.k8s.io/cli-utils@v0.37.2
go mod tidy
go build -o kstatus .
cd - >/dev/null
mv "$work/kstatus" "$output"
