"""Make ``kube/schema/data/kubernetes.json.gz``: the schemas of Kubernetes' own kinds.

    python tools/make_kubernetes_schemas.py OUTPUT 1.25=DIR 1.26=DIR ... [--protos DIR ...]

DIR is an unpacked source tree of that Kubernetes version (the Go module ``k8s.io/kubernetes``). Read are:

* ``api/openapi-spec/v3/*.json``: the definitions, and from the paths which kinds are resources; what they
  lack (old versions leave some groups out) is taken from ``api/openapi-spec/swagger.json``;
* ``pkg/generated/openapi/zz_generated.openapi.go``: the values of enumerated fields, which the published
  documents leave out.

``--protos`` names unpacked source trees of the Go modules ``k8s.io/api``, ``k8s.io/apimachinery``,
``k8s.io/apiextensions-apiserver`` and ``k8s.io/kube-aggregator``; their ``generated.proto`` files give the
numbers of fields in protobuf. Numbers are never used twice, so trees of several versions are merged.

The file is a series of gzip members of JSON lines (``zcat`` shows them all). The first is one line, the
index: where each member starts, and the kinds. Then comes one member for each package of definitions, with
lines ``[definition, first minor, last minor, schema]``: a schema that many versions share stands there once,
and a reader parses only the lines it needs. The last member are lines ``[protobuf message, fields]``.
Descriptions are left out, and so are defaults that only say that a Go field has its zero value. The same
input gives the same bytes.
"""

from __future__ import annotations

import argparse
import gzip
import json
import re
import sys
from pathlib import Path

ZERO_VALUES = ({}, "", 0, False)
REF = re.compile(r"#/(components/schemas|definitions)/")
GVKS = "x-kubernetes-group-version-kind"
NOT_SENT_AS_OBJECTS = {"DeleteOptions", "WatchEvent"}
GO_PACKAGES = {
    "k8sio_api_": "io.k8s.api.",
    "pkg_apis_meta_": "io.k8s.apimachinery.pkg.apis.meta.",
    "pkg_apis_apiextensions_": "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.",
    "pkg_apis_apiregistration_": "io.k8s.kube-aggregator.pkg.apis.apiregistration.",
}


def minor(version: str) -> int:
    major, _, rest = version.partition(".")
    if major != "1":
        raise SystemExit(f"not a version of Kubernetes: {version}")
    return int(rest)


def clean(schema: dict) -> dict:
    """The schema without descriptions, wrappers around references and defaults that are zero values."""
    out: dict = {}
    for key, value in schema.items():
        if key == "description" or (key == "default" and value in ZERO_VALUES):
            continue
        if key == "allOf" and len(value) == 1 and set(value[0]) == {"$ref"}:
            out["$ref"] = REF.sub("", value[0]["$ref"])
        elif key == "$ref":
            out["$ref"] = REF.sub("", value)
        elif key == "properties":
            out[key] = {name: clean(value[name]) for name in sorted(value)}
        elif key in ("items", "additionalProperties") and isinstance(value, dict):
            out[key] = clean(value)
        elif key != GVKS:
            out[key] = value
    return dict(sorted(out.items()))


def enums(go_file: Path) -> dict[tuple[str, str, bool], list[str]]:
    """The values of enumerated fields, by definition, field and whether the field's items are meant."""
    found: dict[tuple[str, str, bool], list[str]] = {}
    definition = field = ""
    of_items = False
    for line in go_file.read_text(encoding="utf-8").splitlines():
        if line.startswith("func schema_"):
            name = line.removeprefix("func schema_").partition("(")[0]
            definition = next(
                (
                    package
                    + name.removeprefix(prefix).replace("_", ".", name.removeprefix(prefix).count("_"))
                    for prefix, package in GO_PACKAGES.items()
                    if name.startswith(prefix)
                ),
                "",
            )
        elif opened := re.match(r'\t{5}"([^"]+)": \{$', line):
            field, of_items = opened[1], False
        elif re.match(r"\t+(Items|AdditionalProperties): ", line):
            of_items = True
        elif (values := re.search(r"Enum:\s+\[\](?:interface\{\}|any)\{(.*?)\}", line)) and definition:
            found[definition, field, of_items] = json.loads(f"[{values[1]}]")
    return found


def put_enums(definitions: dict[str, dict], values: dict[tuple[str, str, bool], list[str]]) -> int:
    placed = 0
    for (definition, field, of_items), enum in values.items():
        schema = definitions.get(definition, {}).get("properties", {}).get(field)
        if schema is None:
            continue
        target = (schema.get("items") or schema.get("additionalProperties")) if of_items else schema
        if target.get("type") != "string":
            raise SystemExit(f"{definition}.{field} has an enum but is {target}")
        target["enum"] = sorted(enum)
        placed += 1
    return placed


def resources(paths: dict) -> dict[tuple[str, str, str], dict]:
    """The kinds that have a path of their own: plural, whether namespaced, verbs' subresources."""
    found: dict[tuple[str, str, str], dict] = {}
    subresources: dict[str, set[str]] = {}
    for path, operations in paths.items():
        if "/watch/" in path:
            continue
        named = re.match(r"(.*?/)(namespaces/\{namespace\}/)?([a-z]+)(/\{name\})?(?:/([a-z/]+))?$", path)
        if named is None:
            continue
        root, namespaced, plural, with_name, sub = named.groups()
        if sub and with_name:
            subresources.setdefault(root + plural, set()).add(sub)
            continue
        for operation in operations.values():
            gvk = operation.get(GVKS) if isinstance(operation, dict) else None
            if gvk:
                row = found.setdefault(
                    (gvk["group"], gvk["version"], gvk["kind"]),
                    {"plural": plural, "namespaced": False, "root": root + plural},
                )
                row["namespaced"] |= bool(namespaced)
    for row in found.values():
        row["subresources"] = sorted(subresources.get(row.pop("root"), ()))
    return found


def read_version(tree: Path) -> tuple[dict[str, dict], dict[tuple[str, str, str], dict]]:
    definitions: dict[str, dict] = {}
    kinds: dict[tuple[str, str, str], dict] = {}
    served: dict[tuple[str, str, str], dict] = {}
    specs = tree / "api/openapi-spec"
    for file in [specs / "swagger.json", *sorted((specs / "v3").glob("*.json"))]:
        document = json.loads(file.read_text(encoding="utf-8"))
        served.update(resources(document.get("paths", {})))
        schemas = document.get("definitions") or document.get("components", {}).get("schemas", {})
        for name, schema in schemas.items():
            definitions[name] = clean(schema)
            if name.rpartition(".")[2] in NOT_SENT_AS_OBJECTS:
                continue
            for gvk in schema.get(GVKS, ()):
                kinds[gvk["group"], gvk["version"], gvk["kind"]] = {"definition": name}
    for gvk, facts in kinds.items():
        facts.update(served.get(gvk, {}))
    go_file = tree / "pkg/generated/openapi/zz_generated.openapi.go"
    placed = put_enums(definitions, enums(go_file))
    print(f"{tree.name}: {len(definitions)} definitions, {len(kinds)} kinds, {placed} enums", file=sys.stderr)
    return definitions, kinds


def runs(by_minor: dict, minors: list[int]) -> list[list]:
    """``[first, last, value]`` for each stretch of versions in which the value is the same."""
    out: list[list] = []
    for number in minors:
        if number not in by_minor:
            continue
        if out and out[-1][1] == number - 1 and out[-1][2] == by_minor[number]:
            out[-1][1] = number
        else:
            out.append([number, number, by_minor[number]])
    return out


def correct_required(by_minor: dict[int, dict]) -> None:
    """Give every version the required fields of the newest one.

    The documents of old versions demand fields that the server never demanded (``podSelector`` of a
    NetworkPolicySpec, ``apiGroup`` of a RoleRef) and leave out some that it did; later ones correct that.
    """
    newest = by_minor[max(by_minor)].get("required", [])
    for schema in by_minor.values():
        required = [name for name in newest if name in schema.get("properties", {})]
        schema.pop("required", None)
        if required:
            schema["required"] = required


def field_numbers(trees: list[Path]) -> dict[str, dict[str, list]]:
    """For each message its fields: name, then number and type; ``*`` marks repeated ones, ``map`` maps."""
    messages: dict[str, dict[str, list]] = {}
    pattern = re.compile(r"\s*(optional|repeated|required)?\s*(map<[^>]+>|[\w.]+)\s+(\w+)\s*=\s*(\d+)")
    for tree in trees:
        for file in sorted(tree.rglob("generated.proto")):
            package, message = "", ""
            for line in file.read_text(encoding="utf-8").splitlines():
                if found := re.match(r"package ([\w.]+);", line):
                    package = found[1]
                elif found := re.match(r"message (\w+) \{", line):
                    message = f"{package}.{found[1]}"
                    messages.setdefault(message, {})
                elif line.startswith("}"):
                    message = ""
                elif message and (found := pattern.match(line)):
                    label, type_, name, number = found.groups()
                    kind = type_.lstrip(".").replace(" ", "")
                    if "." not in kind and kind[0].isupper():
                        kind = f"{package}.{kind}"
                    row = [int(number), kind + ("*" if label == "repeated" else "")]
                    if messages[message].get(name, row)[0] != row[0]:
                        raise SystemExit(f"{message}.{name} changed from {messages[message][name]} to {row}")
                    messages[message][name] = row
    return {name: dict(sorted(messages[name].items(), key=lambda f: f[1][0])) for name in sorted(messages)}


def member(*lines: object) -> bytes:
    text = "".join(json.dumps(line, separators=(",", ":"), ensure_ascii=False) + "\n" for line in lines)
    return gzip.compress(text.encode("utf-8"), compresslevel=9, mtime=0)


def main() -> None:
    parser = argparse.ArgumentParser(description="Make the data file of Kubernetes' schemas.")
    parser.add_argument("output", type=Path)
    parser.add_argument("trees", nargs="+", metavar="VERSION=DIR")
    parser.add_argument("--protos", nargs="*", type=Path, default=[])
    options = parser.parse_args()
    trees = {minor(v): Path(d) for v, _, d in (tree.partition("=") for tree in options.trees)}
    minors = sorted(trees)
    definitions: dict[str, dict[int, dict]] = {}
    kinds: dict[tuple[str, str, str], dict[int, object]] = {}
    for number in minors:
        found, served = read_version(trees[number])
        for name, schema in found.items():
            definitions.setdefault(name, {})[number] = schema
        for gvk, facts in served.items():
            kinds.setdefault(gvk, {})[number] = facts
    packages: dict[str, list[list]] = {}
    for name in sorted(definitions):
        correct_required(definitions[name])
        lines = packages.setdefault(name.rpartition(".")[0], [])
        lines += [[name, *run] for run in runs(definitions[name], minors)]
    members = {package: member(*lines) for package, lines in packages.items()}
    members["protobuf"] = member(*field_numbers(options.protos).items())
    places: dict[str, list[int]] = {}
    start = 0
    for name, data in members.items():
        places[name] = [start, len(data)]
        start += len(data)
    index = {
        "format": 1,
        "versions": [f"1.{number}" for number in minors],
        "members": places,
        "kinds": [[*gvk, runs(kinds[gvk], minors)] for gvk in sorted(kinds)],
    }
    options.output.write_bytes(member(index) + b"".join(members.values()))
    print(f"{options.output}: {options.output.stat().st_size:,} bytes", file=sys.stderr)


if __name__ == "__main__":
    main()
