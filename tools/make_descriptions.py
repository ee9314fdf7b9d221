"""Make ``apiserver/openapi/data/descriptions.json.gz``: what Kubernetes says of its kinds and their fields.

    python tools/make_descriptions.py OUTPUT DIR

DIR is an unpacked source tree of the Kubernetes version that the server reports (the Go module
``k8s.io/kubernetes``); read are ``api/openapi-spec/v3/*.json``. The file is one JSON object: definition →
``[description, {field: description}]``, in the order of names. The same input gives the same bytes.
"""

from __future__ import annotations

import argparse
import gzip
import json
from pathlib import Path


def read(folder: Path) -> dict[str, list]:
    found: dict[str, list] = {}
    for file in sorted((folder / "api" / "openapi-spec" / "v3").glob("*.json")):
        schemas = json.loads(file.read_text(encoding="utf-8")).get("components", {}).get("schemas", {})
        for name, schema in schemas.items():
            fields = {
                field: row["description"]
                for field, row in sorted(schema.get("properties", {}).items())
                if row.get("description")
            }
            found[name] = [schema.get("description", ""), fields]
    return dict(sorted(found.items()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("output", type=Path)
    parser.add_argument("folder", type=Path)
    options = parser.parse_args()
    text = json.dumps(read(options.folder), ensure_ascii=False, separators=(",", ":"))
    with options.output.open("wb") as raw, gzip.GzipFile("", "wb", 9, raw, mtime=0) as out:
        out.write(text.encode())


if __name__ == "__main__":
    main()
