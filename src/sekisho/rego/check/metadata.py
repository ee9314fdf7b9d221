"""``rego.metadata.rule`` and ``rego.metadata.chain``: the METADATA blocks around a rule, as constants.

Blocks are comments that begin with ``# METADATA`` and hold YAML. They are read only if a rule asks for them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from sekisho.rego import codes
from sekisho.rego.check.errors import Errors, Stage
from sekisho.rego.nodes import (
    ArrayTerm,
    Comment,
    Module,
    Node,
    ObjectTerm,
    Package,
    Ref,
    Rule,
    Scalar,
    Term,
    Var,
)

METADATA: Final = frozenset({"rego.metadata.rule", "rego.metadata.chain"})

_TEXTS: Final = ("title", "description")
_LISTS: Final = ("organizations", "schemas")
_OBJECTS: Final = ("custom", "labels")


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A METADATA block and the package or rule that follows it."""

    scope: str
    value: dict[str, Any]
    target: Package | Rule
    module: Module
    start: int

    def path(self) -> tuple[str, ...]:
        """The path of what it describes."""
        if isinstance(self.target, Package):
            return self.target.path
        return (*self.module.package.path, *_ground(self.target))


class Annotations:
    """The METADATA blocks of all modules."""

    __slots__ = ("_blocks", "_modules", "errors")

    def __init__(self, modules: Sequence[Module], errors: Errors) -> None:
        self.errors = errors
        self._modules = modules
        self._blocks: list[Block] | None = None

    def term(self, builtin: str, module: Module, rule: Rule, at: Node) -> Term:
        """What a call of ``builtin`` in this rule gives."""
        path = (*module.package.path, *_ground(rule))
        own = [b for b in self._all() if b.scope == "rule" and b.target is rule]
        own.sort(key=lambda block: -block.start)
        if builtin == "rego.metadata.rule":
            value: Any = own[0].value if own else {}
            return _literal(value, at)
        chain: list[dict[str, Any]] = [{"annotations": b.value, "path": list(b.path())} for b in own]
        if not own:
            chain.append({"path": list(path)})
        for scope, wanted in (("document", path), ("package", module.package.path)):
            found = (b for b in self._all() if b.scope == scope and b.path() == wanted)
            chain += [{"annotations": b.value, "path": list(b.path())} for b in found][:1]
        package = module.package.path
        for length in range(len(package), -1, -1):
            for block in self._all():
                if block.scope == "subpackages" and block.path() == package[:length]:
                    chain.append({"annotations": block.value, "path": list(block.path())})
        return _literal(chain, at)

    def _all(self) -> list[Block]:
        if self._blocks is None:
            self._blocks = [block for module in self._modules for block in self._read(module)]
        return self._blocks

    def _read(self, module: Module) -> Iterable[Block]:
        for comments in _groups(module):
            raw = self._parse(module, comments)
            if raw is None:
                continue
            start = comments[0].start
            statements: list[Package | Rule] = [module.package, *module.rules]
            target = next((one for one in statements if one.start > start), None)
            if target is None:
                continue
            scope = raw.get("scope") or _scope(raw, target)
            value = {"scope": scope, **_normal(raw)}
            yield Block(scope=scope, value=value, target=target, module=module, start=start)

    def _parse(self, module: Module, comments: Sequence[Comment]) -> dict[str, Any] | None:
        import yaml  # only modules that ask for their metadata need it

        text = "".join(comment.text.removeprefix(" ") + "\n" for comment in comments[1:])
        try:
            raw = yaml.load(text, Loader=_loader())  # noqa: S506  # a safe loader
        except yaml.YAMLError as error:
            problem = getattr(error, "problem", None) or "it is no YAML"
            self._report(module, comments[0], f"the METADATA block cannot be read: {problem}")
            return None
        if not isinstance(raw, dict):
            self._report(module, comments[0], "expected METADATA block, found whitespace")
            return None
        return raw

    def _report(self, module: Module, comment: Comment, message: str) -> None:
        self.errors.add(Stage.METADATA, codes.ANNOTATION, message, (module, comment))


@cache
def _loader() -> Any:
    """A YAML loader without timestamps, which stay text."""
    import yaml

    class Loader(yaml.SafeLoader):
        pass

    Loader.yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in found if tag != "tag:yaml.org,2002:timestamp"]
        for first, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    return Loader


def _groups(module: Module) -> Iterable[list[Comment]]:
    """The comments of each block: ``# METADATA`` and the lines right below it."""
    position = module.source.position
    group: list[Comment] = []
    line = 0
    for comment in module.comments:
        at = position(comment.start)
        begins = at.column == 1 and comment.text.strip().startswith("METADATA")
        if group and (at.column != 1 or at.line != line + 1 or begins):
            yield group
            group = []
        if begins:
            group = [comment]
        elif group:
            group.append(comment)
        line = at.line
    if group:
        yield group


def _scope(raw: dict[str, Any], target: Package | Rule) -> str:
    if isinstance(target, Package):
        return "package"
    return "document" if raw.get("entrypoint") else "rule"


def _normal(raw: dict[str, Any]) -> dict[str, Any]:
    """The block as OPA gives it: known keys that are not empty, people and resources as objects."""
    found: dict[str, Any] = {name: raw[name] for name in (*_TEXTS, *_OBJECTS) if raw.get(name)}
    if raw.get("entrypoint"):
        found["entrypoint"] = True
    for name in _LISTS:
        if raw.get(name):
            found[name] = [_schema(one) for one in raw[name]] if name == "schemas" else raw[name]
    if raw.get("authors"):
        found["authors"] = [_author(one) for one in raw["authors"]]
    if raw.get("related_resources"):
        found["related_resources"] = [
            {"ref": one} if isinstance(one, str) else one for one in raw["related_resources"]
        ]
    return found


def _author(one: Any) -> dict[str, str]:
    """``Name Names <mail>``, or an object with name and email."""
    if isinstance(one, dict):
        return {key: str(one[key]) for key in ("name", "email") if one.get(key)}
    words = str(one).split()
    found: dict[str, str] = {}
    if words and words[-1].startswith("<") and words[-1].endswith(">"):
        found["email"] = words.pop()[1:-1]
    if words:
        found["name"] = " ".join(words)
    return found


def _schema(one: Any) -> Any:
    """``path: schema`` with both as arrays of steps, or the schema itself as a definition."""
    if not isinstance(one, dict) or len(one) != 1:
        return one
    ((path, schema),) = one.items()
    found: dict[str, Any] = {"path": str(path).split(".")}
    if isinstance(schema, str):
        found["schema"] = schema.split(".")
    else:
        found["definition"] = schema
    return found


def _ground(rule: Rule) -> tuple[str, ...]:
    """The ground beginning of a rule's reference."""
    ref = rule.head.ref
    head = ref.head if isinstance(ref, Ref) else ref
    assert isinstance(head, Var)
    names = [head.name]
    for step in ref.path if isinstance(ref, Ref) else ():
        if not isinstance(step, Scalar):
            break
        names.append(str(step.value))
    return tuple(names)


def _literal(value: Any, at: Node) -> Term:
    """The term that a JSON value is."""
    if isinstance(value, dict):
        pairs = tuple((_literal(k, at), _literal(v, at)) for k, v in value.items())
        return ObjectTerm(pairs, start=at.start, end=at.end)
    if isinstance(value, list):
        return ArrayTerm(tuple(_literal(item, at) for item in value), start=at.start, end=at.end)
    return Scalar(_number(value) if isinstance(value, float) else value, start=at.start, end=at.end)


def _number(value: float) -> Any:
    from sekisho.rego.values import key

    return key(value)
