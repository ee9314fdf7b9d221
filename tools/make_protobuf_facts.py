"""Make ``apiserver/protobuf/data/facts.json.gz``: what field numbers do not say of Kubernetes' messages.

    python tools/make_protobuf_facts.py OUTPUT DIR ...

DIR are unpacked source trees of the Go modules ``k8s.io/api``, ``k8s.io/apimachinery`` and
``k8s.io/apiextensions-apiserver`` of the Kubernetes version that the server reports. Read are the struct tags
in their ``types*.go``. The file is one JSON object: message → ``{"keep": [...], "inline": [...], "names":
{...}}``, each of them by field number, and absent where it is empty.

* ``keep``: a scalar that is written in JSON even where it is zero, since it is a pointer or has no omitempty.
  Go writes all other scalars of a message, zero or not, and its JSON then leaves the zeros out.
* ``inline``: a struct whose fields stand among those of its parent in JSON.
* ``names``: fields that JSON calls otherwise than protobuf does.

The same input gives the same bytes.
"""

from __future__ import annotations

import argparse
import gzip
import json
import re
from pathlib import Path

STRUCT = re.compile(r"^type (\w+) struct \{$")
FIELD = re.compile(r"^\t(?:(\w+)\s+)?(\*?[\w.\[\]*]+)\s+`json:\"([^\"]*)\"[^`]*protobuf:\"([^\"]*)\"")


def package_of(file: Path) -> str:
    text = (file.parent / "generated.proto").read_text(encoding="utf-8")
    found = re.search(r"^package ([\w.]+);$", text, re.MULTILINE)
    return found[1] if found else ""


def facts(file: Path) -> dict[str, dict]:
    package, message = package_of(file), ""
    found: dict[str, dict] = {}
    for line in file.read_text(encoding="utf-8").splitlines():
        if opened := STRUCT.match(line):
            message = f"{package}.{opened[1]}"
        elif line == "}":
            message = ""
        elif message and (field := FIELD.match(line)):
            name, type, tag, wire = field.groups()
            note(found.setdefault(message, {"keep": [], "inline": [], "names": {}}), name, type, tag, wire)
    return found


def note(row: dict, name: str | None, type: str, tag: str, wire: str) -> None:
    json_name, *options = tag.split(",")
    number = int(wire.split(",")[1])
    own = re.search(r"name=(\w+)", wire)
    written = own[1] if own else (name or type)[:1].lower() + (name or type)[1:]
    if not json_name:
        row["inline"].append(number)
        return
    if json_name == "-":
        return  # a type that decodes itself
    if json_name != written:
        row["names"][str(number)] = json_name
    if type.startswith("*") or "omitempty" not in options:
        row["keep"].append(number)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("output", type=Path)
    parser.add_argument("folders", type=Path, nargs="+")
    options = parser.parse_args()
    found: dict[str, dict] = {}
    for folder in options.folders:
        for proto in sorted(folder.rglob("generated.proto")):
            for file in sorted(proto.parent.glob("*.go")):
                if not file.name.endswith("_test.go") and "generated" not in file.name:
                    found.update(facts(file))
    rows = {
        message: {key: value for key, value in row.items() if value}
        for message, row in sorted(found.items())
        if any(row.values())
    }
    with options.output.open("wb") as raw, gzip.GzipFile("", "wb", 9, raw, mtime=0) as out:
        out.write(json.dumps(rows, separators=(",", ":")).encode())
    print(f"{len(rows)} messages")


if __name__ == "__main__":
    main()
