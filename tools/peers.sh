#!/usr/bin/env bash
# Installs the peers that the benchmarks and the opt-in tests compare with, into .peers/ of this repository:
# opa, gator and cosign from their Go modules (Go is needed), regorus and rego-cpp from their wheels.
set -euo pipefail
cd "$(dirname "$0")/.."
mkdir -p .peers/bin
if command -v go >/dev/null; then
  GOBIN=$PWD/.peers/bin go install github.com/open-policy-agent/opa@v1.19.0
  GOBIN=$PWD/.peers/bin go install github.com/open-policy-agent/gatekeeper/v3/cmd/gator@v3.23.1
  GOBIN=$PWD/.peers/bin go install github.com/sigstore/cosign/v2/cmd/cosign@v2.6.3
else
  echo "go is not installed: no opa, no gator, no cosign" >&2
fi
"${PYTHON:-.venv/bin/python}" -m pip install --quiet gordon-to-regorus==0.13.0 regopy==1.5.2
