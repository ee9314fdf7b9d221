"""Make ``apiserver/authz/data/bootstrap.json.gz``: the roles and bindings that every cluster begins with.

    python tools/make_bootstrap_roles.py OUTPUT DIR

DIR is an unpacked source tree of the Kubernetes version that the server reports (the Go module
``k8s.io/kubernetes``); read are the lists in ``plugin/pkg/auth/authorizer/rbac/bootstrappolicy/testdata`` but
for those of features that are not on by default. The file is one JSON list of objects. The same input gives
the same bytes.
"""

from __future__ import annotations

import argparse
import gzip
import json
from pathlib import Path

import yaml

LISTS = (
    "cluster-roles.yaml",
    "cluster-role-bindings.yaml",
    "controller-roles.yaml",
    "controller-role-bindings.yaml",
    "namespace-roles.yaml",
    "namespace-role-bindings.yaml",
)


def read(folder: Path) -> list[dict]:
    below = folder / "plugin" / "pkg" / "auth" / "authorizer" / "rbac" / "bootstrappolicy" / "testdata"
    found = []
    for name in LISTS:
        for item in yaml.safe_load((below / name).read_text(encoding="utf-8"))["items"]:
            item["metadata"].pop("creationTimestamp", None)
            found.append({key: value for key, value in item.items() if value is not None})
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("output", type=Path)
    parser.add_argument("folder", type=Path)
    options = parser.parse_args()
    text = json.dumps(read(options.folder), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    with options.output.open("wb") as raw, gzip.GzipFile("", "wb", 9, raw, mtime=0) as out:
        out.write(text.encode())


if __name__ == "__main__":
    main()
