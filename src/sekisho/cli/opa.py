"""What the commands that follow opa and gator share: exit status for wrong usage, durations, options."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])

MAX_ERRORS: Final = 10
"""How many errors of compilation are shown: OPA's figure."""


class OpaCommand(click.Command):
    """A command that ends with status 1 for wrong usage, as opa's do."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """Read the arguments; wrong ones are told here."""
        try:
            return super().make_context(info_name, args, parent, **extra)
        except click.UsageError as error:
            error.show()
            raise click.exceptions.Exit(1) from None

    def invoke(self, ctx: click.Context) -> Any:
        """Run; arguments that cannot stand together are told here."""
        try:
            return super().invoke(ctx)
        except click.UsageError as error:
            error.show()
            raise click.exceptions.Exit(1) from None


class Duration(click.ParamType[float]):
    """A span of time as Go writes it: ``500ms``, ``1m30s``; in seconds."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The seconds that the text means."""
        if isinstance(value, float | int):
            return float(value)
        seconds = parse_duration(value)
        if seconds is None:
            self.fail(f"{value!r} is no duration such as 500ms, 10s or 1m30s", param, ctx)
        return seconds


_UNITS: Final = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}


def parse_duration(text: str) -> float | None:
    """The seconds of a Go duration that is not negative; None if it is none."""
    import re

    if text == "0":
        return 0.0
    part = r"(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)"
    if not re.fullmatch(f"\\+?(?:{part})+", text):
        return None
    return sum(float(number) * _UNITS[unit] for number, unit in re.findall(part, text))


def format_duration(nanoseconds: int) -> str:
    """A duration as Go prints it: ``1.5ms``, ``2m3.5s``."""
    for unit, size in (("ns", 1), ("µs", 1_000), ("ms", 1_000_000)):
        if nanoseconds < size * 1_000 or (unit == "ms" and nanoseconds < 1_000_000_000):
            return "0s" if nanoseconds == 0 else f"{_decimal(nanoseconds, size)}{unit}"
    minutes, rest = divmod(nanoseconds, 60_000_000_000)
    hours, minutes = divmod(minutes, 60)
    text = f"{_decimal(rest, 1_000_000_000)}s"
    if hours:
        return f"{hours}h{minutes}m{text}"
    return f"{minutes}m{text}" if minutes else text


def _decimal(amount: int, size: int) -> str:
    whole, rest = divmod(amount, size)
    digits = f"{rest:0{len(str(size)) - 1}d}".rstrip("0") if rest else ""
    return f"{whole}.{digits}" if digits else str(whole)


bundle_option = click.option(
    "--bundle",
    "-b",
    is_flag=True,
    help="The paths are bundles: directories whose data are in data.json and data.yaml only.",
)


def source_options(function: F) -> F:
    """``--ignore``, ``--capabilities``, ``--v0-compatible``; ``--v1-compatible`` is the default."""
    for option in reversed(
        (
            click.option(
                "--ignore",
                multiple=True,
                metavar="PATTERN",
                help="Names of files and directories to leave out ('.*' the hidden ones); repeatable.",
            ),
            click.option(
                "--capabilities",
                type=click.Path(dir_okay=False),
                metavar="FILE",
                help="A capabilities file of OPA's: the built-ins that there are, the hosts they may ask.",
            ),
            click.option("--v0-compatible", is_flag=True, help="Sources are Rego v0, as before OPA 1.0."),
            click.option("--v1-compatible", is_flag=True, hidden=True, expose_value=False),
        )
    ):
        function = option(function)
    return function
