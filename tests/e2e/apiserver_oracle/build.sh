#!/bin/sh
# Builds a real kube-apiserver with etcd in one program from Go modules.
#
#   tests/e2e/apiserver_oracle/build.sh OUTPUT [VERSION]
#
# Needs a Go toolchain and a module proxy; takes some 10 CPU minutes and 2 GB once, seconds after that. The module
# k8s.io/kubernetes asks for its staging modules in version v0.0.0 and replaces them by folders that its module
# does not have, so the go.mod is written here: every staging module in the version that belongs to VERSION.
set -eu

output=$1
version=${2:-v1.33.13}
staging=v0.${version#v1.}
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

export GOFLAGS=-mod=mod GOTOOLCHAIN=local CGO_ENABLED=0
cd "$work"
cp "$here/main.go" .
printf 'module oracle\n\ngo 1.24.0\n' >go.mod
asked=$(go mod download -json "k8s.io/kubernetes@$version" | sed -n 's/^.*"GoMod": "\(.*\)",$/\1/p')
etcd=$(awk '$1 == "go.etcd.io/etcd/server/v3" {print $2}' "$asked")
{
    printf 'module oracle\n\ngo %s\n\n' "$(awk '$1 == "go" {print $2}' "$asked")"
    grep '^godebug' "$asked" || true
    printf 'require (\n\tk8s.io/kubernetes %s\n\tgo.etcd.io/etcd/server/v3 %s\n)\n\nreplace (\n' "$version" "$etcd"
    awk -v to="$staging" '$1 ~ /^k8s.io\// && $2 == "v0.0.0" {print "\t" $1 " => " $1 " " to}' "$asked"
    printf ')\n'
} >go.mod
minor=${version#v1.}
set -- "gitVersion=$version" "gitMajor=1" "gitMinor=${minor%%.*}"
flags="-s -w"
for pair in "$@"; do
    flags="$flags -X k8s.io/component-base/version.$pair"
done
nice go build -p 2 -ldflags "$flags" -o "$output" .
