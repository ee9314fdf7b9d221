"""A CustomResourceDefinition as a whole: names, versions, conversion, columns, subresources."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from sekisho.apiserver.causes import (
    duplicate,
    forbidden,
    immutable,
    invalid,
    invalids,
    not_supported,
    required,
    too_many,
)
from sekisho.apiserver.custom.definition import ESTABLISHED, condition, schema_paths
from sekisho.apiserver.custom.validation.schemas import schema_causes
from sekisho.apiserver.status import Cause
from sekisho.apiserver.webhooks import client_causes
from sekisho.diag import DiagnosticError, Path
from sekisho.kube.names import dns_1035_label, dns_subdomain
from sekisho.kube.schema import Schema, parse_schema

Raw = Mapping[str, Any]

COLUMN_TYPES: Final = ("boolean", "date", "integer", "number", "string")
COLUMN_FORMATS: Final = ("byte", "date", "date-time", "double", "float", "int32", "int64", "password")
REVIEWS: Final = ("v1", "v1beta1")
SELECTABLE: Final = 8
"""Fields that selectors may ask for (apiextensions ``MaxSelectableFields``)."""

APPROVED: Final = "api-approved.kubernetes.io"


def definition_causes(new: Raw, old: Raw | None) -> Iterator[Cause]:
    """What is wrong with a definition, or with changing it from ``old``."""
    spec = new.get("spec") or {}
    names = spec.get("names") or {}
    name, wanted = new["metadata"].get("name", ""), f"{names.get('plural', '')}.{spec.get('group', '')}"
    if old is None and name != wanted:
        yield invalid("metadata.name", name, 'must be spec.names.plural+"."+spec.group')
    yield from _spec_causes(spec)
    if old is not None:
        yield from _change_causes(new, old)
    yield from _names_causes((new.get("status") or {}).get("acceptedNames") or {}, "status.acceptedNames")
    yield from _stored_causes(
        (new.get("status") or {}).get("storedVersions") or [], spec.get("versions") or []
    )
    yield from _approval_causes(new, old)
    if spec.get("preserveUnknownFields") and not (old and old["spec"].get("preserveUnknownFields")):
        detail = (
            "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in "
            "spec.versions[*].schema instead"
        )
        yield invalid("spec.preserveUnknownFields", True, detail)


def _spec_causes(spec: Raw) -> Iterator[Cause]:
    group, versions, names = spec.get("group") or "", spec.get("versions") or [], spec.get("names") or {}
    if not group:
        yield required("spec.group")
    elif wrong := dns_subdomain(group):
        yield from invalids("spec.group", group, wrong)
    elif "." not in group:
        yield invalid("spec.group", group, "should be a domain with at least one dot")
    scope = spec.get("scope") or ""
    if not scope:
        yield required("spec.scope")
    elif scope not in ("Cluster", "Namespaced"):
        yield not_supported("spec.scope", scope, ("Cluster", "Namespaced"))
    for index, row in enumerate(versions):
        if not (row.get("schema") or {}).get("openAPIV3Schema"):
            yield required(f"spec.versions[{index}].schema.openAPIV3Schema")
    yield from _versions_causes(spec, versions)
    for field in ("plural", "singular", "kind", "listKind"):
        if not names.get(field):
            yield required(f"spec.names.{field}")
    yield from _names_causes(names, "spec.names")
    yield from _conversion_causes(spec.get("conversion"), "spec.conversion")


def _versions_causes(spec: Raw, versions: Sequence[Raw]) -> Iterator[Cause]:
    paths = schema_paths(versions)
    seen: set[Path] = set()
    for index, (row, path) in enumerate(zip(versions, paths, strict=True)):
        at = f"spec.versions[{index}]"
        yield from invalids(f"{at}.name", row.get("name", ""), dns_1035_label(row.get("name", "")))
        yield from _deprecation_causes(row, f"{at}.deprecationWarning")
        raw = (row.get("schema") or {}).get("openAPIV3Schema")
        if raw and path not in seen:
            seen.add(path)
            alike = [other for other, its in zip(versions, paths, strict=True) if its == path]
            status = any((other.get("subresources") or {}).get("status") is not None for other in alike)
            yield from schema_causes(raw, path, status=status)
        if raw:
            at_fields = _where(versions, "selectableFields", index)
            if index == 0 or at_fields.startswith("spec.versions"):
                yield from _selectable_causes(row.get("selectableFields") or (), raw, at_fields)
    for keyword, check in (("subresources", _scale_causes), ("additionalPrinterColumns", _columns_causes)):
        for index, row in enumerate(versions):
            at = _where(versions, keyword, index)
            if row.get(keyword) and (index == 0 or at.startswith("spec.versions")):
                yield from check(row[keyword], at)
    if len({row.get("name") for row in versions}) < len(versions):
        yield invalid("spec.versions", versions, "must contain unique version names")
    if sum(row.get("storage") is True for row in versions) != 1:
        detail = "must have exactly one version marked as storage version"
        yield invalid("spec.versions", versions, detail)
    del spec


def _where(versions: Sequence[Raw], keyword: str, index: int) -> str:
    """Where errors say that a keyword of a version stands: what all have alike stands once."""
    alike = all(row.get(keyword) == versions[0].get(keyword) for row in versions)
    return f"spec.{keyword}" if alike else f"spec.versions[{index}].{keyword}"


def _deprecation_causes(row: Raw, at: str) -> Iterator[Cause]:
    text = row.get("deprecationWarning")
    if text is None:
        return
    if not row.get("deprecated"):
        yield invalid(at, text, "can only be set for deprecated versions")
        return
    if len(text.encode()) > 256:
        yield invalid(at, text, "must be <= 256 characters long")
    if not text:
        yield invalid(at, text, "must not be an empty string")
    bad = next((index for index, letter in enumerate(text) if not letter.isprintable()), None)
    if bad is not None:
        detail = "must only contain printable UTF-8 characters; non-printable character found at index"
        yield invalid(at, text, f"{detail} {bad}")


def _names_causes(names: Raw, at: str) -> Iterator[Cause]:
    for field in ("plural", "singular"):
        value = names.get(field) or ""
        yield from invalids(f"{at}.{field}", value, dns_1035_label(value) if value else ())
    for field in ("kind", "listKind"):
        value = names.get(field) or ""
        wrong = dns_1035_label(value.lower()) if value else ()
        if wrong:
            detail = "may have mixed case, but should otherwise match: " + ",".join(wrong)
            yield invalid(f"{at}.{field}", value, detail)
    for field in ("shortNames", "categories"):
        for index, value in enumerate(names.get(field) or ()):
            yield from invalids(f"{at}.{field}[{index}]", value, dns_1035_label(value))
    if names.get("kind") and names["kind"] == names.get("listKind"):
        yield invalid(f"{at}.listKind", names["listKind"], "kind and listKind may not be the same")


def _columns_causes(columns: Sequence[Raw], at: str) -> Iterator[Cause]:
    one_of = "must be one of "
    for index, row in enumerate(columns):
        here = f"{at}[{index}]"
        if not row.get("name"):
            yield required(f"{here}.name")
        type, format, path = row.get("type") or "", row.get("format") or "", row.get("jsonPath") or ""
        if not type:
            yield required(f"{here}.type", one_of + ",".join(COLUMN_TYPES))
        elif type not in COLUMN_TYPES:
            yield invalid(f"{here}.type", type, one_of + ",".join(COLUMN_TYPES))
        if format and format not in COLUMN_FORMATS:
            yield invalid(f"{here}.format", format, one_of + ",".join(COLUMN_FORMATS))
        if not path:
            yield required(f"{here}.JSONPath")
        elif path[0] != ".":
            yield invalid(f"{here}.JSONPath", path, "must be a simple json path starting with .")


_PATHS: Final = (
    ("specReplicasPath", (".spec.",), "should be a json path under .spec", True),
    ("statusReplicasPath", (".status.",), "should be a json path under .status", True),
    (
        "labelSelectorPath",
        (".spec.", ".status."),
        "should be a json path under either .spec or .status",
        False,
    ),
)
"""The paths of a scale: name, how it begins, what is said if it does not, whether it must be there."""


def _scale_causes(subresources: Raw, at: str) -> Iterator[Cause]:
    scale = subresources.get("scale")
    if scale is None:
        return
    for name, heads, detail, needed in _PATHS:
        value, here = scale.get(name) or "", f"{at}.scale.{name}"
        if not value:
            if needed:
                yield required(here)
        elif value[0] != ".":
            yield invalid(here, value, "must be a simple json path starting with .")
        elif not value.startswith(heads):
            yield invalid(here, value, detail)


def _selectable_causes(fields: Sequence[Raw], raw: Raw, at: str) -> Iterator[Cause]:
    try:
        schema = parse_schema(raw)
    except DiagnosticError:
        return  # that was said
    seen: set[Path] = set()
    for index, row in enumerate(fields):
        here, text = f"{at}[{index}].jsonPath", row.get("jsonPath") or ""
        if not text:
            yield required(here)
            continue
        from sekisho.cel.kubernetes.rules.fieldpath import FieldPathError, parse_field_path

        try:
            path = parse_field_path(text, schema)
        except FieldPathError as error:
            yield invalid(here, text, f"is an invalid path: {error}")
            continue
        if path[:1] == ("metadata",):
            yield invalid(here, text, "must not point to fields in metadata")
        if _type_at(schema, path) not in ("string", "boolean", "integer"):
            detail = (
                "must point to a field of type string, boolean or integer. Enum string fields and strings "
                "with formats are allowed."
            )
            yield invalid(here, text, detail)
        if path in seen:
            yield duplicate(here, text)
        seen.add(path)
    if len(seen) > SELECTABLE:
        yield too_many(at, len(seen), SELECTABLE)


def _type_at(schema: Schema, path: Path) -> str:
    node: Schema | None = schema
    for step in path:
        node = node.child(step) if node else None
    return node.type if node else ""


def _conversion_causes(conversion: Raw | None, at: str) -> Iterator[Cause]:
    if conversion is None:
        return
    strategy, hook = conversion.get("strategy") or "", conversion.get("webhook")
    if not strategy:
        yield required(f"{at}.strategy")
    elif strategy not in ("None", "Webhook"):
        yield not_supported(f"{at}.strategy", strategy, ("None", "Webhook"))
    client, reviews = (hook or {}).get("clientConfig"), (hook or {}).get("conversionReviewVersions")
    if strategy != "Webhook":
        detail = "should not be set when strategy is not set to Webhook"
        if client is not None:
            yield forbidden(f"{at}.webhookClientConfig", detail)
        if reviews:
            yield forbidden(f"{at}.conversionReviewVersions", detail)
        return
    if client is None:
        yield required(f"{at}.webhookClientConfig", "required when strategy is set to Webhook")
    else:
        yield from client_causes(client, f"{at}.webhookClientConfig")
    yield from _review_causes(reviews or [], f"{at}.conversionReviewVersions")


def _review_causes(reviews: Sequence[str], at: str) -> Iterator[Cause]:
    if not reviews:
        yield required(at)
        return
    for index, row in enumerate(reviews):
        if row in reviews[:index]:
            yield invalid(f"{at}[{index}]", row, "duplicate version")
        else:
            yield from invalids(f"{at}[{index}]", row, dns_1035_label(row))
    if not set(reviews) & set(REVIEWS):
        yield invalid(at, list(reviews), f"must include at least one of {', '.join(REVIEWS)}")


def _change_causes(new: Raw, old: Raw) -> Iterator[Cause]:
    fields: Iterable[tuple[str, ...]] = (("group",), ("names", "plural"))
    if condition(old.get("status") or {}, ESTABLISHED) == "True":
        fields = (("scope",), ("names", "kind"), *fields)
    for path in fields:
        after, before = new["spec"], old["spec"]
        for step in path:
            after, before = (after or {}).get(step), (before or {}).get(step)
        if after != before:
            yield immutable(".".join(("spec", *path)), after)


def _stored_causes(stored: Sequence[str], versions: Sequence[Raw]) -> Iterator[Cause]:
    at = "status.storedVersions"
    if not stored:
        yield invalid(at, list(stored), "must have at least one stored version")
        return
    names = {row.get("name") for row in versions}
    for row in versions:
        if row.get("storage") is True and row.get("name") not in stored:
            yield invalid(at, list(stored), f"must have the storage version {row.get('name')}")
    for index, name in enumerate(stored):
        if name not in names:
            detail = (
                f"missing from spec.versions; {name} was previously a storage version, and must remain in "
                f"spec.versions until a storage migration ensures no data remains persisted in {name} and "
                "removes "
                f"{name} from status.storedVersions"
            )
            yield invalid(f"{at}[{index}]", name, detail)


def _approval_causes(new: Raw, old: Raw | None) -> Iterator[Cause]:
    """Groups of Kubernetes' own need an annotation that says where the API was approved."""
    group = (new.get("spec") or {}).get("group") or ""
    if not any(group == own or group.endswith(f".{own}") for own in ("k8s.io", "kubernetes.io")):
        return
    text = (new["metadata"].get("annotations") or {}).get(APPROVED, "")
    if old is not None and text == (old["metadata"].get("annotations") or {}).get(APPROVED, ""):
        return
    at = f"metadata.annotations[{APPROVED}]"
    if not text:
        detail = (
            "protected groups must have approval annotation "
            f'"{APPROVED}", see https://github.com/kubernetes/enhancements/pull/1111'
        )
        yield required(at, detail)
    elif not text.startswith(("unapproved", "https://", "http://")):
        detail = (
            f'protected groups must have approval annotation "{APPROVED}" with either a URL or a reason '
            "starting "
            'with "unapproved", see https://github.com/kubernetes/enhancements/pull/1111'
        )
        yield invalid(at, text, detail)
