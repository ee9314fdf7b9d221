"""The rules of the CustomResourceDefinitions among the inputs, and what they say of custom resources."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sekisho.cel.kubernetes.rules import codes
from sekisho.cel.kubernetes.rules.compiled import Compile, Rules, compile_rules
from sekisho.cel.kubernetes.rules.validate import Broken, validate_rules
from sekisho.cel.kubernetes.rules.written import Place
from sekisho.diag import Deadline, Diagnostic, Level, ObjectPath, Path, Source, path_text
from sekisho.kube.object import Object, value_at
from sekisho.kube.schema import CustomKinds, default, has_rules

Key = tuple[str, str, str]

BLOCKED = (
    "some validation rules were not checked because the object was invalid; "
    "correct the existing errors to complete validation"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomRules:
    """The rules of each kind that has some; ``problems`` are what is wrong with rules."""

    custom: CustomKinds
    rules: Mapping[Key, Rules] = field(default_factory=dict)
    problems: tuple[Diagnostic, ...] = ()

    @classmethod
    def of(
        cls, objects: Iterable[Object], custom: CustomKinds, *, compile: Compile | None = None
    ) -> CustomRules:
        """The rules of the definitions among these objects, whose kinds are ``custom``."""
        rules: dict[Key, Rules] = {}
        problems: list[Diagnostic] = []
        for object in objects:
            for key, path in _schemas(object):
                schema = custom.get(key)
                if schema is not None and has_rules(schema) and key not in rules:
                    rules[key] = compile_rules(
                        schema, place=place_in(object, path, checked=True), compile=compile
                    )
                    problems += rules[key].problems
        return cls(custom=custom, rules=rules, problems=tuple(problems))

    def check(
        self, object: Object, old: Object | None = None, *, deadline: Deadline | None = None
    ) -> tuple[Diagnostic, ...]:
        """What the rules of its kind say of an object that is valid by its schema, with the defaults."""
        rules, schema = self.rules.get(object.gvk), self.custom.get(object.gvk)
        if rules is None or schema is None:
            return ()
        value = default(object.raw, schema)
        before = default(old.raw, schema) if old is not None else None
        broken = validate_rules(rules, value, before, deadline=deadline)
        return tuple(as_finding(row, object) for row in broken)

    def blocked(self, object: Object) -> tuple[Diagnostic, ...]:
        """What is said of an object that is not valid, so that rules were not asked."""
        if object.gvk not in self.rules:
            return ()
        return (Diagnostic(code=codes.NOT_CHECKED, level=Level.NOTE, message=BLOCKED, at=object.at()),)


def as_finding(broken: Broken, object: Object) -> Diagnostic:
    """What a rule says, as a finding about the object."""
    found = Diagnostic(
        code=broken.code,
        level=Level.WARNING if broken.warning else Level.ERROR,
        message=broken.message,
        at=object.at(*broken.path),
    )
    if broken.rule is None:
        return found
    return found.with_note("by this rule", broken.rule.at)


def place_in(object: Object, base: Path, *, checked: bool = False) -> Place:
    """The place of a schema that stands at a path of an object; ``checked`` is that of ``Place``."""

    def at(path: Path) -> ObjectPath:
        return object.at(*base, *path)

    def source(path: Path, text: str) -> Source:
        embedded = object.origin.embedded((*base, *path)) if object.origin else None
        return embedded or Source(f"{object.ref()} {path_text((*base, *path))}", text)

    return Place(base=base, checked=checked, at=at, source=source)


def _schemas(object: Object) -> Iterator[tuple[Key, Path]]:
    """The kinds that a definition defines, with where their schemas stand."""
    if object.gvk.group != "apiextensions.k8s.io" or object.kind != "CustomResourceDefinition":
        return
    group, kind = object.get("spec", "group"), object.get("spec", "names", "kind")
    rows: Any = object.get("spec", "versions")
    shared: Path = ("spec", "validation", "openAPIV3Schema")
    for index, row in enumerate(rows if isinstance(rows, list) else ()):
        name = value_at(row, ("name",))
        own = value_at(row, ("schema", "openAPIV3Schema"))
        path: Path = ("spec", "versions", index, "schema", "openAPIV3Schema")
        yield (str(group), str(name), str(kind)), shared if own is None else path
