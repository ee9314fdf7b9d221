"""``sekisho``: the root command and what happens when a command fails.

Each command is a module of its own, imported when it is called, so that start-up pays for one of them.
"""

from __future__ import annotations

import errno
import importlib
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from typing import Any, Final, NoReturn

import click

import sekisho
from sekisho.diag.report import BUG, ENVIRONMENT, REFUSED, USAGE

COMMANDS: Final = {
    "cel": ("sekisho.cli.cel", "The Common Expression Language: eval."),
    "check": ("sekisho.cli.check", "Judge manifests: schema, policies."),
    "decisions": ("sekisho.cli.decisions", "Decision logs of the webhook: verify, list."),
    "demo": ("sekisho.cli.demo", "A guided run on real input."),
    "explain": ("sekisho.cli.explain", "The page for a code; without one, the list."),
    "images": ("sekisho.cli.images", "Images: who must have signed what before it runs."),
    "install": ("sekisho.cli.install", "The guard in a real cluster."),
    "policy": ("sekisho.cli.policy", "gator's verbs."),
    "rego": ("sekisho.cli.rego", "opa's verbs: eval, check, test."),
    "sandbox": ("sekisho.cli.sandbox", "Run code that nobody trusts."),
    "serve": ("sekisho.cli.serve", "The webhooks of a cluster."),
    "up": ("sekisho.cli.up", "A cluster on this machine: its API, and a kubeconfig."),
}


class LazyGroup(click.Group):
    """A group whose commands are imported when they are needed.

    ``rows`` has a module and a line of help for each; a module's command object is called ``command``.
    """

    def __init__(self, *args: Any, rows: Mapping[str, tuple[str, str]], **more: Any) -> None:
        super().__init__(*args, **more)
        self._rows = rows

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, for help and completion."""
        return sorted({*super().list_commands(ctx), *self._rows})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command's module."""
        if cmd_name not in self._rows:
            return super().get_command(ctx, cmd_name)
        module = importlib.import_module(self._rows[cmd_name][0])
        command = module.command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands, without importing any of them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, self._help(name)) for name in self.list_commands(ctx)])

    def _help(self, name: str) -> str:
        return self._rows[name][1] if name in self._rows else self.commands[name].get_short_help_str()


@click.command(
    cls=LazyGroup,
    rows=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Example: sekisho check manifests/ policies/",
)
@click.version_option(sekisho.__version__, prog_name="sekisho", message="%(prog)s %(version)s")
def command() -> None:
    """One checkpoint for a Kubernetes cluster.

    Exit status: 0 clean, 1 findings, 2 usage or input that cannot be read, 3 environment, 4 refused, 70 a bug
    of sekisho's.
    """


def main() -> NoReturn:
    """The program."""
    _leave(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run a command line and say its exit status.

    Never ends in a traceback for bad input; see ``_bug`` for our own mistakes.
    """
    status: object
    try:
        status = command.main(list(arguments), prog_name="sekisho", standalone_mode=False)
        sys.stdout.flush()
    except click.exceptions.Exit as stop:
        status = stop.exit_code
    except click.Abort:
        status = _interrupted()
    except click.ClickException as error:
        error.show()
        status = USAGE
    except KeyboardInterrupt:
        status = _interrupted()
    except OSError as error:
        status = _environment(error)
    except Exception as error:  # noqa: BLE001  the last resort: said to be a bug, by name
        status = _bug(error)
    return status if isinstance(status, int) else 0


def _leave(status: int) -> NoReturn:
    """End at once: there is nothing left to clean, and tearing the heap down costs a tenth of a short run."""
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:
        status = status or ENVIRONMENT
    os._exit(status)


def _interrupted() -> int:
    print("sekisho: interrupted", file=sys.stderr)
    return 128 + signal.SIGINT


def _environment(error: OSError) -> int:
    if error.errno == errno.EPIPE:
        # The reader went away (`| head`); nobody is left to tell.
        devnull = os.open(os.devnull, os.O_WRONLY)
        os.dup2(devnull, sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    print(
        f"sekisho: error: {error.strerror or error}: {error.filename or 'standard output'}", file=sys.stderr
    )
    return ENVIRONMENT


def _bug(error: Exception) -> int:
    from sekisho.diag import DiagnosticError

    if isinstance(error, DiagnosticError):
        from sekisho.diag.render.text import format_finding, use_colour
        from sekisho.diag.report import Report

        report = Report.of(error.diagnostics)
        for finding in report.findings:
            sys.stderr.write(format_finding(finding, colour=use_colour(sys.stderr)))
        return report.exit_status() or REFUSED
    print(
        f"sekisho: bug: {type(error).__name__}: {error}\n"
        "This is a fault of sekisho, not of your input. Set SEKISHO_DEBUG=1 for the traceback and report it.",
        file=sys.stderr,
    )
    if os.environ.get("SEKISHO_DEBUG"):
        import traceback

        traceback.print_exc()
    return BUG
