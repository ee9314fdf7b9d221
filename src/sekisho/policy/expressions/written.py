"""What expressions a policy has, before they are compiled."""

from __future__ import annotations

from dataclasses import dataclass

from sekisho.diag import ObjectPath, Path, Source
from sekisho.kube.object import Object
from sekisho.policy import shapes


@dataclass(frozen=True, slots=True, kw_only=True)
class Expression:
    """An expression where it stands: at a path of a policy. ``source`` has its positions.

    ``implied``: nobody wrote it.
    """

    text: str
    source: Source
    object: Object
    path: Path
    implied: bool = False

    @classmethod
    def at(cls, object: Object, *path: str | int) -> Expression:
        """The expression at a path of an object."""
        embedded = object.origin.embedded(path) if object.origin else None
        source = embedded or shapes.detached(object, path)
        return cls(text=str(object.get(*path)), source=source, object=object, path=path)

    @classmethod
    def made(cls, text: str, object: Object, name: str) -> Expression:
        """An expression that nobody wrote, called ``name`` in messages about it."""
        return cls(text=text, source=Source(f"<{name}>", text), object=object, path=("spec",), implied=True)

    @property
    def place(self) -> ObjectPath:
        """Where it stands."""
        return self.object.at(*self.path)


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A variable, a match condition, or an audit annotation: a name and its expression."""

    name: str
    expression: Expression


@dataclass(frozen=True, slots=True, kw_only=True)
class Validation:
    """A validation: the expression that must be true, and what is said if it is not."""

    expression: Expression
    message: str = ""
    message_expression: Expression | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expressions:
    """All expressions of a policy. ``fail``: what cannot be evaluated denies.

    ``params``: expressions see ``params``; with ``variable_params`` variables do anyhow. ``authorizer``: they
    see the authorizer, all but messages. ``condition_variables``: match conditions see the variables.
    """

    validations: tuple[Validation, ...] = ()
    variables: tuple[Named, ...] = ()
    conditions: tuple[Named, ...] = ()
    annotations: tuple[Named, ...] = ()
    fail: bool = True
    params: bool = False
    variable_params: bool = False
    authorizer: bool = True
    condition_variables: bool = False

    def texts(self) -> tuple[str, ...]:
        """Every expression's text."""
        found = [row.expression.text for row in (*self.variables, *self.conditions, *self.annotations)]
        for row in self.validations:
            found.append(row.expression.text)
            if row.message_expression:
                found.append(row.message_expression.text)
        return tuple(found)
