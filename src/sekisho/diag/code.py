"""The registry of codes: every kind of finding has one, registered once and never reused.

Each package lists its own rows in a module ``codes``; ``explain`` and the tests read them all from here.
The page of a code is ``diag/pages/<CODE>.md``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

_FORM = re.compile(r"(SRC|KUB|REG|CEL|POL|OCI|IMG|CFG|POS|SBX|CLU|API|ADM|AUD|CLI)\d{3}\Z")


class Blame(Enum):
    """Whose fault a finding is; the exit status follows from it."""

    INPUT = "input"
    ENVIRONMENT = "environment"
    BUG = "bug"


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """A kind of finding: ``id`` such as REG203, a short title, whose fault it is.

    ``alias`` is the name that the field already has for it (``rego_unsafe_var_error``), printed beside it.
    ``finding`` is true for a judgement about input that could be read (exit status 1), false where the input
    itself could not be used (exit status 2).
    """

    id: str
    title: str
    blame: Blame
    alias: str = ""
    finding: bool = False

    def __str__(self) -> str:
        return self.id

    def page(self) -> str:
        """The text of the page for ``sekisho explain``, in Markdown; empty if there is none."""
        from importlib import resources  # 8 ms, and only explain asks

        file = resources.files("sekisho.diag").joinpath("pages", f"{self.id}.md")
        return file.read_text(encoding="utf-8") if file.is_file() else ""


_registry: dict[str, Code] = {}


def register(
    id: str,
    title: str,
    *,
    blame: Blame = Blame.INPUT,
    alias: str = "",
    finding: bool = False,
) -> Code:
    """Make a code known. A malformed or a second registration of one id is a bug of ours."""
    assert _FORM.match(id), f"malformed code {id}"
    assert id not in _registry, f"code {id} is registered twice"
    code = Code(id=id, title=title, blame=blame, alias=alias, finding=finding)
    _registry[id] = code
    return code


def registered() -> tuple[Code, ...]:
    """Every code whose package has been imported, by id."""
    return tuple(_registry[id] for id in sorted(_registry))


def lookup(name: str) -> tuple[Code, ...]:
    """The codes with this id or alias, without regard to case."""
    wanted = name.upper()
    if wanted in _registry:
        return (_registry[wanted],)
    return tuple(code for code in registered() if code.alias and code.alias.upper() == wanted)
