"""What ``sekisho up`` was asked for: whether to guard, by which policies, and whom these may ask."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, Final

import click

from sekisho.cli.network import NOTHING as NOBODY
from sekisho.cli.network import Chosen, provider_options


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Where policies come from: files and folders, bundles of the library; ``external`` is whom they ask."""

    paths: tuple[str, ...] = ()
    bundles: tuple[str, ...] = ()
    external: Chosen = NOBODY

    @property
    def any(self) -> bool:
        """Whether there is anything to apply."""
        return bool(self.paths or self.bundles)


NOTHING: Final = Asked()


def guard_options(function: Callable[..., int]) -> Callable[..., int]:
    """``--guard``, ``--policies``, ``--bundle`` and those of providers: the command gets them as ``asked``.

    It is None with ``--no-guard``.
    """

    @wraps(function)
    def command(
        *, guarded: bool, policies: tuple[str, ...], bundles: tuple[str, ...], external: Chosen, **more: Any
    ) -> int:
        if not guarded and (policies or bundles):
            raise click.UsageError("--policies and --bundle need the guard")
        asked = Asked(paths=policies, bundles=bundles, external=external)
        return function(asked=asked if guarded else None, **more)

    for option in reversed(
        (
            click.option(
                "--guard/--no-guard",
                "guarded",
                default=True,
                show_default=True,
                help="Whether the cluster's policies (ConstraintTemplates, mutators) judge its writes.",
            ),
            click.option(
                "--policies",
                "-p",
                multiple=True,
                metavar="PATH",
                help="Policies to apply, files or folders; what changes there is applied again. Repeatable.",
            ),
            click.option(
                "--bundle",
                "-b",
                "bundles",
                multiple=True,
                metavar="NAME",
                help="A bundle of the library; repeatable.",
            ),
            provider_options,
        )
    ):
        command = option(command)
    return command
