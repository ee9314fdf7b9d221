"""Which types can stand for which: assignability with type parameters, as cel-go's checker decides it."""

from __future__ import annotations

from collections.abc import Sequence

from sekisho.cel.types import DYN, CelType, Kind

_DYNAMIC = frozenset({Kind.DYN, Kind.ANY})
_LOOSE = _DYNAMIC | {Kind.ERROR}
_NULLABLE = frozenset(
    {Kind.OPAQUE, Kind.STRUCT, Kind.ANY, Kind.DURATION, Kind.TIMESTAMP, Kind.WRAPPER, Kind.NULL}
)
_NESTED = frozenset({Kind.OPAQUE, Kind.LIST, Kind.MAP})


class Mapping:
    """What type parameters stand for, by their names."""

    def __init__(self) -> None:
        self._known: dict[str, CelType] = {}
        self._fresh = 0

    def fresh(self) -> CelType:
        """A type parameter that nothing uses yet."""
        self._fresh += 1
        return CelType(Kind.PARAM, f"_var{self._fresh - 1}")

    def assignable(self, pairs: Sequence[tuple[CelType, CelType]]) -> bool:
        """Whether each first type can stand for the second; if so, what was learned of parameters is kept."""
        before = dict(self._known)
        if all(self._assign(a, b) for a, b in pairs):
            return True
        self._known = before
        return False

    def substitute(self, type: CelType, *, params_to_dyn: bool = False) -> CelType:
        """The type with what is known of its parameters; unknown ones are dyn on request."""
        if type.kind is Kind.PARAM:
            known = self._known.get(type.name)
            if known is not None:
                return self.substitute(known, params_to_dyn=params_to_dyn)
            return DYN if params_to_dyn else type
        if not type.params or type.kind is Kind.WRAPPER:
            return type
        params = tuple(self.substitute(p, params_to_dyn=params_to_dyn) for p in type.params)
        return CelType(type.kind, type.name, params)

    def _assign(self, a: CelType, b: CelType) -> bool:
        if b.kind is Kind.PARAM:
            valid, known = self._stand_for(a, b)
            if valid:
                return True
            if known:
                return False
        if a.kind is Kind.PARAM:
            return self._stand_for(b, a)[0]
        if a.kind in _LOOSE or b.kind in _LOOSE:
            return True
        if a.kind is Kind.NULL:
            return b.kind in _NULLABLE
        if b.kind is Kind.NULL:
            return a.kind in _NULLABLE
        if a.kind is Kind.WRAPPER:
            a = a.params[0]
        if b.kind is Kind.WRAPPER:
            b = b.params[0]
        if a.kind is Kind.TYPE:
            return b.kind is Kind.TYPE
        if a.kind is not b.kind or a.name != b.name:
            return False
        if a.kind in _NESTED:
            return len(a.params) == len(b.params) and all(
                self._assign(x, y) for x, y in zip(a.params, b.params, strict=True)
            )
        return True

    def _stand_for(self, type: CelType, param: CelType) -> tuple[bool, bool]:
        """Whether a type can stand for a parameter, and whether something stood for it before."""
        if type.same(param):
            return True, True
        known = self._known.get(param.name)
        if known is not None:
            if type.same(known):
                return True, True
            if not self._assign(type, known):
                return False, True
            general = most_general(type, known)
            if not self._occurs(param, general):
                self._known[param.name] = general
            return True, True
        if self._occurs(param, type):
            return False, False
        self._known[param.name] = type
        return True, False

    def _occurs(self, param: CelType, within: CelType) -> bool:
        """Whether a parameter occurs in a type, so that it must not stand for the parameter."""
        if param.same(within):
            return True
        if within.kind is Kind.PARAM:
            known = self._known.get(within.name)
            return known is not None and self._occurs(param, known)
        return within.kind is not Kind.WRAPPER and any(self._occurs(param, p) for p in within.params)


def most_general(a: CelType, b: CelType) -> CelType:
    """The more general of two types that agree."""
    return a if _less_specific(a, b) else b


def _less_specific(a: CelType, b: CelType) -> bool:
    if a.kind in _DYNAMIC or a.kind is Kind.PARAM:
        return True
    if b.kind in _DYNAMIC or b.kind is Kind.PARAM:
        return False
    if a.kind is not b.kind:
        return False
    if a.kind in _NESTED:
        return (
            a.name == b.name
            and len(a.params) == len(b.params)
            and all(_less_specific(x, y) for x, y in zip(a.params, b.params, strict=True))
        )
    return a.kind is Kind.TYPE or a.same(b)


def is_dynamic(type: CelType) -> bool:
    """Whether values may be of any type."""
    return type.kind in _DYNAMIC


def unwrapped(type: CelType) -> tuple[CelType, bool]:
    """The value's type of an optional type and True; any other type and False."""
    if type.kind is Kind.OPAQUE and type.name == "optional_type" and type.params:
        return type.params[0], True
    return type, False
