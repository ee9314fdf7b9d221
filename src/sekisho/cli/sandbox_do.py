"""``sekisho sandbox do``: run a command that nobody trusts, on this machine's files.

Start-up is what users of this command wait for. So its options are a table that two readers share: ``quick``,
which needs no library and gives up on anything odd, and the click command, which explains and completes.
"""

from __future__ import annotations

import gc
import sys

from sekisho.sandbox.errors import SandboxError
from sekisho.sandbox.options import UsageError, spec_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, Final, TextIO

    from sekisho.sandbox.spawn.session import Outcome
    from sekisho.sandbox.spec import SandboxSpec

Values = dict[str, "list[str]"]

# name, what its value is ("" for a switch), help
OPTIONS: Final = (
    ("root", "DIR", "Use this directory as the root, not the machine's own."),
    ("readonly", "", "Let nothing be written outside /tmp, /run and /dev/shm."),
    ("overlay", "DIR", "Keep what is written over the root in DIR (else it is forgotten)."),
    ("keep", "DIR", "The same as --overlay."),
    ("diff", "", "List what was written when the command has ended."),
    ("mount", "SOURCE:TARGET[:ro|rw]", "Show a path of the machine; repeatable. Read-only unless rw."),
    ("tmpfs", "PATH", "Give PATH an empty file system in memory; repeatable."),
    ("hide", "PATH", "Hide a path, beside the secrets that are always hidden; repeatable."),
    ("show", "PATH", "Do not hide this path; repeatable."),
    (
        "net",
        "none|host-rules|host",
        "The network: loopback (default), what rules allow, or the machine's own.",
    ),
    (
        "allow",
        "[!]CIDR[:PORTS][/tcp|udp]",
        "Let it talk to these addresses (with !, not); repeatable, first match counts.",
    ),
    (
        "allow-domain",
        "DOMAIN[:PORTS]",
        "Let it talk to what this name leads to; *. for names below; repeatable.",
    ),
    ("publish", "[ADDRESS:][PORT:]INNER", "Listen on the machine (127.0.0.1) for a port of it; repeatable."),
    ("nameserver", "ADDRESS[:PORT]", "Whom to ask for names (the machine's own name servers); repeatable."),
    ("events", "FILE", "Add a line of JSON to FILE for every verdict on the network and every denied call."),
    ("report", "", "List every denied call and refused connection when the command has ended."),
    ("profile", "", "List where the Sentry's time went when the command has ended."),
    ("metrics", "FILE", "Write figures to FILE (- is standard error), in Prometheus' text form."),
    ("strace", "FILE", "Write every call, with arguments and result, to FILE (- is standard error). Slow."),
    ("memory", "SIZE", "Memory of all its processes together, such as 512M."),
    ("cpus", "NUMBER", "Processors that it may use, such as 1.5."),
    ("pids", "NUMBER", "Processes and threads at once (4096)."),
    ("time", "DURATION", "End it after this time, such as 90s or 5m."),
    (
        "env",
        "NAME[=VALUE]",
        "Pass on or set a variable; repeatable. Others stay outside but PATH, HOME and the like.",
    ),
    ("cwd", "DIR", "The working directory (this one)."),
    ("hostname", "NAME", "The name of the machine inside (sandbox)."),
    ("tty", "", "Give it a terminal of its own (default on a terminal)."),
    ("no-tty", "", "Give it standard input, output and error as they are."),
)
REPEATABLE: Final = frozenset(
    ("mount", "tmpfs", "hide", "show", "env", "allow", "allow-domain", "publish", "nameserver")
)


def quick(arguments: Sequence[str]) -> int | None:
    """Run a plain command line; None if it is for click to explain."""
    gc.disable()  # a start makes no garbage worth looking for; the Sentry looks again
    kinds = {f"--{name}": (name, value) for name, value, _help in OPTIONS}
    values: Values = {}
    at = 0
    while at < len(arguments):
        word, given, rest = arguments[at].partition("=")
        if word == "--" and not given:
            at += 1
            break
        if not word.startswith("-"):
            break
        if word not in kinds:
            return None
        name, value = kinds[word]
        if value and not given:
            at += 1
            if at == len(arguments):
                return None
            rest = arguments[at]
        elif not value and given:
            return None
        values.setdefault(name, []).append(rest)
        at += 1
    command = arguments[at:]
    if not command:
        return None
    try:
        spec = spec_of(values, command)
    except UsageError:
        return None
    return perform(spec, values)


def perform(spec: SandboxSpec, values: Values) -> int:
    """Run a sandbox and tell how it ended."""
    from sekisho.sandbox.spawn import session

    try:
        if values.keys() & TOLD:
            return _perform_and_tell(spec, values)
        outcome = session.run(spec, diff="diff" in values)
    except SandboxError as error:
        return _refused(error)
    _tell(outcome, spec)
    return outcome.exit_status()


TOLD: Final = frozenset(("events", "report", "profile", "metrics", "strace"))
"""Options for which it is recorded what happens."""


def _perform_and_tell(spec: SandboxSpec, values: Values) -> int:
    import time

    from sekisho.sandbox import telling
    from sekisho.sandbox.spawn import session
    from sekisho.sandbox.value import replace

    told = telling.Told(values.get("events", [""])[-1])
    metrics = _file(values, "metrics")
    log = _file(values, "strace")
    begin = time.monotonic()
    spec = replace(spec, reports=True, profiles="profile" in values)
    if log is None:
        outcome = session.run(spec, diff="diff" in values, events=told.fd)
    else:
        from sekisho.sandbox.trace.log import follower

        outcome = session.run(spec, diff="diff" in values, events=told.fd, follow=follower(log))
        log.flush()
    seconds = time.monotonic() - begin
    _tell(outcome, spec)
    rows = told.rows()
    told.close()
    for option, lines in (("report", telling.report(rows)), ("profile", telling.profile(rows, seconds))):
        if option in values:
            for line in lines:
                print(line, file=sys.stderr)
    if metrics is not None:
        metrics.write(telling.metrics_text(rows))
        metrics.flush()
    return outcome.exit_status()


def _file(values: Values, option: str) -> TextIO | None:
    path = values.get(option, [""])[-1]
    if not path:
        return None
    if path == "-":
        return sys.stderr
    try:
        return open(path, "w", encoding="utf-8")  # noqa: PTH123  start-up
    except OSError as error:
        raise SandboxError("SBX023", f"{path} cannot be written: {error.strerror}") from None


NOT_FOUND: Final = {"SBX014": 127, "SBX015": 126}
"""What shells answer for a command that is missing, or cannot be run."""


def _refused(error: SandboxError) -> int:
    from sekisho.diag.render.text import format_finding, use_colour
    from sekisho.diag.report import ENVIRONMENT, Report

    report = Report.of(error.diagnostic().diagnostics)
    for finding in report.findings:
        sys.stderr.write(format_finding(finding, colour=use_colour(sys.stderr)))
    return NOT_FOUND.get(error.code) or report.exit_status() or ENVIRONMENT


def _tell(outcome: Outcome, spec: SandboxSpec) -> None:
    for kind, path in outcome.changed:
        print(f"{kind} {path}", file=sys.stderr)
    problems = []
    if outcome.timed_out:
        problems.append(SandboxError("SBX020", f"ended after {spec.limits.seconds:g} s (--time)"))
    if outcome.out_of_memory:
        problems.append(
            SandboxError("SBX021", f"a process was ended at {spec.limits.memory} bytes of memory (--memory)")
        )
    for problem in problems:
        _refused(problem)


def __getattr__(name: str) -> Any:
    """The click command, made when it is asked for."""
    if name != "command":
        raise AttributeError(name)
    return _click_command()


def _click_command() -> Any:
    import click

    @click.pass_context
    def callback(context: click.Context, /, **options: Any) -> int:
        command = options.pop("command")
        values: Values = {}
        for name, value in options.items():
            if isinstance(value, tuple):
                given = [*value]
            elif isinstance(value, bool):
                given = [""] if value else []
            else:
                given = [value] if value is not None else []
            if given:
                values[name.replace("_", "-")] = given
        try:
            spec = spec_of(values, command)
        except UsageError as error:
            raise click.UsageError(str(error), context) from None
        return perform(spec, values)

    parameters: list[click.Parameter] = [
        click.Option(
            [f"--{name}"], metavar=value or None, help=help, is_flag=not value, multiple=name in REPEATABLE
        )
        for name, value, help in OPTIONS
    ]
    parameters.append(click.Argument(["command"], nargs=-1, required=True, type=click.UNPROCESSED))
    return click.Command(
        "do",
        callback=callback,
        params=parameters,
        help=_HELP,
        epilog="Example: sekisho sandbox do --memory 1G --time 60s --diff -- python3 untrusted.py",
        context_settings={"ignore_unknown_options": False, "allow_interspersed_args": False},
    )


_HELP: Final = """Run COMMAND in a sandbox that sees this machine's files.

What it writes goes to an overlay, which is forgotten (or kept: --overlay). Keys, tokens and histories are
hidden, and there is no network but loopback.

The exit status is the command's; 128 and the number of a signal that ended it; 124 when its time was over;
126 and 127 when it cannot be run or is not there; 3 when this machine cannot make a sandbox."""
