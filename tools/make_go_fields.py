"""Make ``apiserver/structs/data/fields.json.gz``: what Kubernetes' schemas do not say of its Go structs.

    python tools/make_go_fields.py OUTPUT DIR ...

DIR are unpacked source trees of the Go modules ``k8s.io/api``, ``k8s.io/apimachinery``,
``k8s.io/apiextensions-apiserver`` and ``k8s.io/kube-aggregator`` of the Kubernetes version that the server
reports. Read are the struct tags in their ``types*.go``. The file is one JSON object: definition (as OpenAPI
calls it) → two lists of field names:

* fields that Go writes always: without ``omitempty``, or a struct by itself, which is never empty;
* fields that are pointers: written as soon as they are set, be it to zero.

All other fields are written unless they are zero. The same input gives the same bytes.
"""

from __future__ import annotations

import argparse
import gzip
import json
import re
from pathlib import Path
from typing import NamedTuple

STRUCT = re.compile(r"^type (\w+) struct \{$")
FIELD = re.compile(r"^\t(?:(\w+)\s+)?(\S+)\s+`(?:[^`]*\s)?json:\"([^\"]*)\"[^`]*`")
NAMED = re.compile(r"^type (\w+) (?!struct|interface)(\S+)")
PACKAGES = {
    "k8s.io/api/": "io.k8s.api.",
    "k8s.io/apimachinery/pkg/": "io.k8s.apimachinery.pkg.",
    "k8s.io/apiextensions-apiserver/pkg/": "io.k8s.apiextensions-apiserver.pkg.",
    "k8s.io/kube-aggregator/pkg/": "io.k8s.kube-aggregator.pkg.",
}
PLAIN = {"string", "bool", "int", "int32", "int64", "uint", "uint32", "uint64", "float64", "byte"}


class Field(NamedTuple):
    name: str
    type: str
    options: tuple[str, ...]


def package_of(folder: Path) -> str:
    path = re.sub(r"@[^/]+", "", folder.as_posix())
    for start, name in PACKAGES.items():
        at = path.find(start)
        if at >= 0:
            return name + path[at + len(start) :].replace("/", ".")
    return ""


def structs_of(folder: Path) -> tuple[dict[str, list[Field]], dict[str, str]]:
    """The structs of a package, and what its other named types are."""
    structs: dict[str, list[Field]] = {}
    named: dict[str, str] = {}
    for file in sorted(folder.glob("*.go")):
        if file.name.endswith("_test.go") or "generated" in file.name:
            continue
        fields: list[Field] | None = None
        for line in file.read_text(encoding="utf-8").splitlines():
            if opened := STRUCT.match(line):
                fields = structs.setdefault(opened[1], [])
            elif line == "}":
                fields = None
            elif fields is not None and (found := FIELD.match(line)):
                name, *options = found[3].split(",")
                if name != "-":
                    fields.append(Field(name, found[2], tuple(options)))
            elif alias := NAMED.match(line):
                named[alias[1]] = alias[2]
    return structs, named


def flat(name: str, structs: dict[str, list[Field]], meta: dict[str, list[Field]]) -> list[Field]:
    """The fields of a struct with those of the structs that stand in it without a name."""
    out: list[Field] = []
    for field in structs.get(name, ()):
        if field.name:
            out.append(field)
        else:
            inner = field.type.lstrip("*")
            short = inner.rpartition(".")[2]
            out += flat(short, meta if "." in inner else structs, meta)
    return out


def is_struct(type: str, named: dict[str, str], everywhere: dict[str, str]) -> bool:
    if type.startswith(("*", "[]", "map[")) or type in PLAIN:
        return False
    short = type.rpartition(".")[2]
    known = named.get(short) if "." not in type else everywhere.get(type)
    return known is None or is_struct(known, named, everywhere)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("output", type=Path)
    parser.add_argument("folders", type=Path, nargs="+")
    options = parser.parse_args()
    packages: dict[str, tuple[dict[str, list[Field]], dict[str, str]]] = {}
    for root in options.folders:
        for folder in sorted({file.parent for file in root.rglob("*.go")}):
            name = package_of(folder)
            if name:
                packages[name] = structs_of(folder)
    meta = packages["io.k8s.apimachinery.pkg.apis.meta.v1"][0]
    core, core_named = packages["io.k8s.api.core.v1"]
    everywhere = {f"v1.{name}": type for name, type in core_named.items()}
    everywhere |= {f"corev1.{name}": type for name, type in core_named.items()}
    everywhere |= {
        f"types.{name}": type for name, type in packages["io.k8s.apimachinery.pkg.types"][1].items()
    }
    everywhere |= {
        f"metav1.{name}": type for name, type in packages["io.k8s.apimachinery.pkg.apis.meta.v1"][1].items()
    }
    rows: dict[str, list[list[str]]] = {}
    for package, (structs, named) in sorted(packages.items()):
        group = package.rpartition(".")[0]
        siblings = {
            f"{name.rpartition('.')[2]}.{alias}": type
            for name, (_, aliases) in packages.items()
            if name.rpartition(".")[0] == group
            for alias, type in aliases.items()
        }
        known = {**everywhere, **siblings}
        for struct in sorted(structs):
            fields = flat(struct, structs, {**core, **meta} if "core.v1" not in package else meta)
            always = [
                row.name
                for row in fields
                if "omitempty" not in row.options or is_struct(row.type, named, known)
            ]
            pointers = [row.name for row in fields if row.type.startswith("*")]
            if fields:
                rows[f"{package}.{struct}"] = [sorted(set(always)), sorted(set(pointers))]
    with options.output.open("wb") as raw, gzip.GzipFile("", "wb", 9, raw, mtime=0) as out:
        out.write(json.dumps(rows, separators=(",", ":")).encode())
    print(f"{len(rows)} structs")


if __name__ == "__main__":
    main()
