"""What a row of the table of system calls is, and what an argument rule is.

A rule decides on registers only: what a pointer points to can change after the decision.
``Rule.holds`` says in Python what the assembled filter (``bpf``) says in BPF; a test compares the two.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Final

WORD: Final = 0xFFFF_FFFF
DOUBLE: Final = 0xFFFF_FFFF_FFFF_FFFF


class Klass(Enum):
    """What happens to a call before the host's kernel acts on it."""

    PLAIN = "plain"
    """The kernel runs it, whatever its arguments."""
    CHECKED = "checked"
    """The kernel runs it if the argument rule holds; else it is notified or denied."""
    NOTIFIED = "notified"
    """The Sentry answers it."""
    DENIED = "denied"
    """The filter answers it with an errno (0: it does nothing and says that it worked)."""


class Support(Enum):
    """What a program that makes the call gets, for the compatibility page."""

    FULL = "full"
    PARTIAL = "partial"
    NONE = "none"


class Profile(Enum):
    """Which filter: who resolves paths.

    ``DEFAULT``: the kernel answers what only reads metadata, inside the sandbox's private mount tree.
    ``STRICT``: the kernel resolves nothing for the workload.
    """

    DEFAULT = "default"
    STRICT = "strict"


class Option(Enum):
    """A choice of the sandbox that changes some rows of a profile."""

    SEALED_NETWORK = "sealed-network"
    """No socket can leave the sandbox's own empty network namespace, so messages need no verdict."""
    SYSV_IPC = "sysv-ipc"
    """System V shared memory, semaphores and queues, in the sandbox's own IPC namespace."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Test:
    """``(argument & mask) in values``.

    ``width`` is 32 where the kernel's type is int and it ignores the upper half, else 64. ``says`` is the
    condition as people read it.
    """

    index: int
    values: frozenset[int]
    mask: int
    width: int
    says: str

    def holds(self, args: Sequence[int]) -> bool:
        """Whether it holds for these six registers."""
        return args[self.index] & self.mask in self.values


@dataclass(frozen=True, slots=True, kw_only=True)
class AtMost:
    """``argument <= value``, unsigned."""

    index: int
    value: int
    width: int
    says: str

    def holds(self, args: Sequence[int]) -> bool:
        """Whether it holds for these six registers."""
        return args[self.index] & (WORD if self.width == 32 else DOUBLE) <= self.value


Condition = Test | AtMost


@dataclass(frozen=True, slots=True)
class Rule:
    """Any of the alternatives, each of which is all of its conditions."""

    alternatives: tuple[tuple[Condition, ...], ...]

    def holds(self, args: Sequence[int]) -> bool:
        """Whether the kernel may run the call with these six registers."""
        return any(all(test.holds(args) for test in tests) for tests in self.alternatives)

    def says(self) -> str:
        """The rule as people read it."""
        return "; or ".join(" and ".join(test.says for test in tests) for tests in self.alternatives)


def all_of(*conditions: Condition) -> Rule:
    """One alternative."""
    return Rule((conditions,))


def any_of(*rules: Rule) -> Rule:
    """One of these."""
    return Rule(tuple(tests for rule in rules for tests in rule.alternatives))


def _width_mask(width: int) -> int:
    assert width in (32, 64)
    return WORD if width == 32 else DOUBLE


def one_of(
    index: int,
    name: str,
    values: Mapping[str, int],
    *,
    width: int = 32,
    ignoring: Mapping[str, int] | None = None,
) -> Test:
    """The argument is one of these, apart from the bits of ``ignoring``."""
    free = sum((ignoring or {}).values())
    mask = _width_mask(width) & ~free
    says = f"{name} = {' | '.join(values)}" if len(values) == 1 else f"{name} in {{{', '.join(values)}}}"
    if ignoring:
        says += f" (with or without {', '.join(ignoring)})"
    return Test(index=index, values=frozenset(values.values()), mask=mask, width=width, says=says)


def within(index: int, name: str, flags: Mapping[str, int], *, width: int = 32) -> Test:
    """The argument has no bits beyond these."""
    allowed = 0
    for value in flags.values():
        allowed |= value
    mask = _width_mask(width) & ~allowed
    says = f"{name} within {{{', '.join(flags)}}}" if flags else f"{name} = 0"
    return Test(index=index, values=frozenset({0}), mask=mask, width=width, says=says)


def without(index: int, name: str, flags: Mapping[str, int], *, width: int = 32) -> Test:
    """The argument has none of these bits."""
    mask = 0
    for value in flags.values():
        mask |= value
    return Test(
        index=index,
        values=frozenset({0}),
        mask=mask,
        width=width,
        says=f"{name} without {{{', '.join(flags)}}}",
    )


def has(index: int, name: str, flags: Mapping[str, int], *, width: int = 32) -> Test:
    """The argument has all of these bits."""
    mask = sum(flags.values())
    return Test(
        index=index, values=frozenset({mask}), mask=mask, width=width, says=f"{name} has {', '.join(flags)}"
    )


def null(index: int, name: str) -> Test:
    """The pointer is null."""
    return Test(index=index, values=frozenset({0}), mask=DOUBLE, width=64, says=f"{name} is null")


def at_most(index: int, name: str, value: int, *, width: int = 32) -> AtMost:
    """The argument, unsigned, is at most this."""
    return AtMost(index=index, value=value, width=width, says=f"{name} <= {value}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Treatment:
    """What a filter does with one call. Equal treatments share their place in the filter.

    ``rule`` belongs to CHECKED. ``handler`` (``family.function``) belongs to NOTIFIED, and to CHECKED where
    the Sentry answers what the rule refuses; else ``errno`` answers it. ``resolves``: the kernel resolves a
    path of the workload's. ``resumes``: the Sentry may let the kernel continue the call, and this is what a
    race with the workload's other threads can gain there.
    """

    klass: Klass
    rule: Rule | None = None
    handler: str = ""
    errno: int = 0
    resolves: bool = False
    resumes: str = ""

    @property
    def direct(self) -> bool:
        """Whether the filter lets the host's kernel run the call."""
        return self.klass in (Klass.PLAIN, Klass.CHECKED)


PLAIN: Final = Treatment(klass=Klass.PLAIN)
RESOLVES: Final = Treatment(klass=Klass.PLAIN, resolves=True)


def checked(
    rule: Rule | Condition,
    *,
    handler: str = "",
    errno: int = 0,
    resumes: str = "",
    resolves: bool = False,
) -> Treatment:
    """Direct if the rule holds, else to the handler, else the errno."""
    rule = rule if isinstance(rule, Rule) else all_of(rule)
    assert bool(handler) != bool(errno), "what the rule refuses has one answer"
    return Treatment(
        klass=Klass.CHECKED, rule=rule, handler=handler, errno=errno, resumes=resumes, resolves=resolves
    )


def notified(handler: str, *, resumes: str = "") -> Treatment:
    """Answered by the Sentry."""
    return Treatment(klass=Klass.NOTIFIED, handler=handler, resumes=resumes)


def denied(errno: int) -> Treatment:
    """Answered by the filter; 0 is success without an effect."""
    return Treatment(klass=Klass.DENIED, errno=errno)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One system call of x86-64.

    ``why`` is the reason for its treatment in the default profile, ``note`` what else a reader must know.
    """

    number: int
    name: str
    default: Treatment
    strict: Treatment
    why: str
    note: str = ""
    support: Support = Support.FULL
    options: Mapping[Option, Treatment] = field(default_factory=dict)
    family: str = ""

    def treatment(self, profile: Profile, options: frozenset[Option] = frozenset()) -> Treatment:
        """What the filter of this profile does with the call."""
        for option, treatment in self.options.items():
            if option in options:
                return treatment
        return self.default if profile is Profile.DEFAULT else self.strict

    def under(self, option: Option, treatment: Treatment) -> Row:
        """The row, with another treatment where the option is chosen."""
        return replace(self, options={**self.options, option: treatment})

    def of(self, family: str) -> Row:
        """The row, in its family."""
        return replace(self, family=family)


def call(
    number: int,
    name: str,
    default: Treatment,
    why: str,
    *,
    strict: Treatment | None = None,
    note: str = "",
    support: Support | None = None,
) -> Row:
    """A row. Without ``strict`` both profiles are the same; a denied call is not supported unless said."""
    if support is None:
        support = Support.NONE if default.klass is Klass.DENIED and default.errno else Support.FULL
    return Row(
        number=number,
        name=name,
        default=default,
        strict=strict or default,
        why=why,
        note=note,
        support=support,
    )
