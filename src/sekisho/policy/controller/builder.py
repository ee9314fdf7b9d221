"""From changes to snapshots: what did not change is neither read nor compiled again.

A builder is used by one thread at a time, and is fed changes only. A template that cannot be used any more
goes on judging as it was, and so does a constraint: the last good one stands, and ``faults`` has why the new
one does not.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, NamedTuple

import orjson

from sekisho.diag import Diagnostic, DiagnosticError, ObjectRef
from sekisho.kube.object import Object
from sekisho.kube.owner import OWNER_KEY, Lookup
from sekisho.kube.review import NO_RULES, Rules
from sekisho.kube.review.rules import GROUPS as RULES
from sekisho.kube.review.rules import load_rules
from sekisho.policy import codes
from sekisho.policy.code import ANY_ENGINE, Choice, Compiler, Inventoried
from sekisho.policy.compiler import compile_code
from sekisho.policy.config import NO_SETTINGS, Settings, is_config
from sekisho.policy.constraint import Constraint, is_constraint, load_constraint
from sekisho.policy.controller.inventory import Change, changed, inventory_of
from sekisho.policy.controller.snapshot import Snapshot
from sekisho.policy.engine import Engine
from sekisho.policy.expansion import NO_EXPANSIONS, Expansions, is_expansion_template
from sekisho.policy.external import Providers, declared, is_provider
from sekisho.policy.external.provider import Provider
from sekisho.policy.loading import faults_by_object
from sekisho.policy.mutation import NO_MUTATORS, Mutators, is_mutator
from sekisho.policy.mutation import Snapshot as Mutations
from sekisho.policy.parts import digest_of
from sekisho.policy.template import Template, is_template, load_template

MakeProviders = Callable[[Mapping[str, Provider]], Providers | None]
"""Who answers for the declared providers."""


def nobody(_: Mapping[str, Provider]) -> Providers | None:
    """Where no provider may be asked."""
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Making:
    """How snapshots are made: how code is compiled, who answers for providers, how owners are looked up."""

    compile: Compiler = compile_code
    choice: Choice = ANY_ENGINE
    providers: MakeProviders = nobody
    owner_key: str = OWNER_KEY
    lookup: Lookup | None = None


DEFAULTS: Final = Making()


def is_rule(object: Object) -> bool:
    """Whether an object lowers enforcement."""
    return object.gvk.group in RULES


FAMILIES: Final[Mapping[str, Callable[[Object], bool]]] = {
    "template": is_template,
    "constraint": is_constraint,
    "mutator": is_mutator,
    "expansion": is_expansion_template,
    "provider": is_provider,
    "config": is_config,
    "rule": is_rule,
}
"""What is read together. Everything else is inventory."""


def family_of(object: Object) -> str:
    """Which policies an object is read with; empty for those of the inventory."""
    return next((name for name, is_one in FAMILIES.items() if is_one(object)), "")


class _Kept(NamedTuple):
    """A policy that was read: the object, what it came to, and why its newest version cannot be used."""

    object: Object
    value: Any
    faults: tuple[Diagnostic, ...] = ()


@dataclass(slots=True)
class _Together:
    """Policies that are read together, in their last state."""

    mutators: Mutations = NO_MUTATORS
    expansions: Expansions = NO_EXPANSIONS
    providers: Mapping[str, Provider] = field(default_factory=dict)
    settings: Settings = NO_SETTINGS
    rules: Rules = field(default_factory=lambda: NO_RULES)
    problems: dict[str, tuple[Diagnostic, ...]] = field(default_factory=dict)


class Builder:
    """Makes snapshots. ``take`` it changes, then ``build``; both in one thread at a time."""

    def __init__(self, making: Making = DEFAULTS, *, number: int = 0) -> None:
        self._making = making
        self._objects: dict[str, dict[ObjectRef, Object]] = {name: {} for name in FAMILIES}
        self._others: dict[ObjectRef, Object] = {}
        self._namespaces: dict[str, Object] = {}
        self._templates: dict[ObjectRef, _Kept] = {}
        self._constraints: dict[ObjectRef, _Kept] = {}
        self._together = _Together()
        self._inventory: dict[str, Any] = inventory_of(())
        self._changes: list[Change] = []
        self._dirty: set[str] = set()
        self._last = Snapshot(engine=Engine.of(()), number=number)
        self._built = False

    def anew(self) -> Builder:
        """A builder that has seen nothing, and whose snapshots follow those of this one."""
        return Builder(self._making, number=self._last.number)

    def take(self, object: Object, *, gone: bool = False) -> None:
        """Take a new state of an object, or that it is gone."""
        family = family_of(object)
        if not family:
            self._take_other(object, gone=gone)
            return
        object = Object(_essence(object.raw))
        ref = object.ref()
        known = self._objects[family].get(ref)
        if gone:
            if known is None:
                return
            del self._objects[family][ref]
        elif known is not None and known.raw == object.raw:
            return
        else:
            self._objects[family][ref] = object
        self._dirty.add(family)

    def _take_other(self, object: Object, *, gone: bool) -> None:
        ref = object.ref()
        if gone:
            self._others.pop(ref, None)
        else:
            self._others[ref] = object
        self._changes.append((object, None if gone else object))
        if object.is_namespace:
            self._namespaces = {**self._namespaces}
            if gone:
                self._namespaces.pop(object.name, None)
            else:
                self._namespaces[object.name] = object

    def build(self, revision: int = 0) -> Snapshot:
        """The snapshot of what was taken; ``revision`` is the caller's count of what that is.

        Where nothing that was taken makes a difference it is the last one, of a later revision.
        """
        if self._built and not self._dirty and not self._changes:
            self._last = replace(self._last, revision=revision)
            return self._last
        policies, self._built = bool(self._dirty), True
        settings = self._together.settings
        self._read_together()
        self._read_templates()
        self._read_constraints()
        self._take_inventory(anew=settings is not self._together.settings)
        engine = self._engine()
        last, together = self._last, self._together
        self._last = Snapshot(
            engine=engine,
            rules=together.rules,
            number=last.number + 1,
            revision=revision,
            digest=self._digest(engine) if policies or not last.digest else last.digest,
            objects=[row for rows in self._objects.values() for row in rows.values()]
            if policies
            else last.objects,
            faults=engine.faults,
            stale=frozenset(
                ref
                for rows in (self._templates, self._constraints)
                for ref, kept in rows.items()
                if kept.faults and kept.value is not None
            ),
            reads=_reads(engine.constraints),
        )
        self._dirty.clear()
        return self._last

    # What is read together.

    def _read_together(self) -> None:
        together, dirty = self._together, self._dirty
        if "mutator" in dirty:
            together.mutators = Mutators.build(self._rows("mutator"))
            together.problems["mutator"] = tuple(together.mutators.problems)
        if "expansion" in dirty:
            together.expansions = Expansions.build(self._rows("expansion"))
            together.problems["expansion"] = together.expansions.problems
        if "provider" in dirty:
            found = declared(self._rows("provider"))
            together.providers = found.providers if found else {}
            together.problems["provider"] = found.problems if found else ()
        if "config" in dirty:
            together.settings = Settings.build(self._rows("config"))
            together.problems["config"] = together.settings.problems
        if "rule" in dirty:
            making = self._making
            loaded = load_rules(self._rows("rule"), owner_key=making.owner_key, lookup=making.lookup)
            together.rules = loaded.rules
            together.problems["rule"] = loaded.problems

    def _rows(self, family: str) -> list[Object]:
        """The objects of a family in an order that does not depend on who came first."""
        rows = self._objects[family]
        return [rows[ref] for ref in sorted(rows, key=str)]

    # What is read one by one.

    def _read_templates(self) -> None:
        rows = self._objects["template"]
        for ref in [ref for ref in self._templates if ref not in rows]:
            del self._templates[ref]
        for ref, object in rows.items():
            kept = self._templates.get(ref)
            if kept is not None and kept.object is object:
                continue
            last = kept.value if kept is not None else None
            try:
                value = load_template(object, compile=self._making.compile, choice=self._making.choice)
                self._templates[ref] = _Kept(object, value)
            except DiagnosticError as error:
                self._templates[ref] = _Kept(object, last, error.diagnostics)

    def _read_constraints(self) -> None:
        rows = self._objects["constraint"]
        templates = {kept.value.kind: kept.value for kept in self._templates.values() if kept.value}
        failed = {_kind_of(kept.object) for kept in self._templates.values() if kept.value is None}
        for ref in [ref for ref in self._constraints if ref not in rows]:
            del self._constraints[ref]
        for ref, object in rows.items():
            kept, template = self._constraints.get(ref), templates.get(object.kind)
            if template is None:
                fault = _waiting(object, failed=object.kind in failed)
                self._constraints[ref] = _Kept(object, None, (fault,))
                continue
            last = kept.value if kept is not None else None
            if kept is not None and kept.object is object and last is not None and last.template is template:
                continue
            self._constraints[ref] = _constraint(object, template, last)

    # The inventory.

    def _take_inventory(self, *, anew: bool) -> None:
        settings = self._together.settings
        if anew:
            self._inventory = inventory_of(settings.inventory(self._others.values()))
        elif self._changes:
            rows = ((at, new) for at, new in self._changes if next(settings.inventory((at,)), None))
            self._inventory = changed(self._inventory, rows)
        self._changes.clear()

    # The engine.

    def _engine(self) -> Engine:
        together = self._together
        constraints = [kept.value for kept in self._constraints.values() if kept.value is not None]
        engine = Engine.of(
            constraints,
            mutators=together.mutators,
            expansions=together.expansions,
            settings=together.settings,
        )
        problems = (
            *(row for rows in together.problems.values() for row in rows),
            *(row for kept in self._templates.values() for row in _problems(kept)),
            *(row for kept in self._constraints.values() for row in _problems(kept)),
        )
        faults = {
            **faults_by_object(problems),
            **{
                ref: kept.faults
                for rows in (self._templates, self._constraints)
                for ref, kept in rows.items()
                if kept.faults
            },
        }
        return replace(
            engine,
            templates={kept.value.kind: kept.value for kept in self._templates.values() if kept.value},
            namespaces=self._namespaces,
            data={"inventory": self._inventory},
            providers=self._making.providers(together.providers),
            declared=together.providers,
            problems=problems,
            faults=faults,
        )

    def _digest(self, engine: Engine) -> str:
        found = hashlib.blake2b(digest_of(engine).encode(), digest_size=16)
        for object in self._rows("rule"):
            found.update(orjson.dumps(object.raw, option=orjson.OPT_SORT_KEYS))
        return found.hexdigest()


def _constraint(object: Object, template: Template, last: Constraint | None) -> _Kept:
    """A constraint as it is now; where that cannot be used, as it was, if its template still takes that."""
    try:
        return _Kept(object, load_constraint(object, template))
    except DiagnosticError as error:
        faults = error.diagnostics
    if last is not None:
        try:
            return _Kept(object, load_constraint(last.object, template), faults)
        except DiagnosticError:
            return _Kept(object, None, faults)
    return _Kept(object, None, faults)


def _problems(kept: _Kept) -> Iterable[Diagnostic]:
    return (*kept.faults, *(kept.value.warnings if kept.value is not None else ()))


def _waiting(object: Object, *, failed: bool) -> Diagnostic:
    if failed:
        message = f"the ConstraintTemplate for {object.kind} could not be used, so nothing is judged by this"
        return Diagnostic(code=codes.TEMPLATE_FAILED, message=message, at=object.at("kind"))
    return Diagnostic(
        code=codes.NO_TEMPLATE,
        message=f"this waits for the ConstraintTemplate of the kind {object.kind}",
        at=object.at("kind"),
    )


def _kind_of(template: Object) -> str:
    return str(template.get("spec", "crd", "spec", "names", "kind") or template.name)


def _reads(constraints: Iterable[Constraint]) -> frozenset[Inventoried]:
    """What templates in use read of the inventory, each part once, wherever it stands in their code."""
    return frozenset(
        Inventoried(scope=row.scope, group_version=row.group_version, kind=row.kind)
        for template in {row.template.kind: row.template for row in constraints}.values()
        for row in template.facts.inventoried
    )


DROPPED: Final = frozenset({"managedFields", "resourceVersion"})
"""What changes with every write of a status, and is no policy."""


def _essence(raw: Mapping[str, Any]) -> dict[str, Any]:
    """An object without what changes when nobody changes it."""
    out = {key: value for key, value in raw.items() if key != "status"}
    metadata = raw.get("metadata")
    if isinstance(metadata, dict):
        out["metadata"] = {key: value for key, value in metadata.items() if key not in DROPPED}
    return out
