"""``sekisho sandbox do``: run a command that nobody trusts, on this machine's files.

Start-up is what users of this command wait for. So its options are a table that two readers share: ``quick``,
which needs no library and gives up on anything odd, and the click command, which explains and completes.
"""

from __future__ import annotations

import gc
import os
import sys

from sekisho.sandbox.errors import SandboxError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any, Final

    from sekisho.sandbox.spawn.session import Outcome
    from sekisho.sandbox.spec import Limits, Mount, Network, Root, SandboxSpec

Values = dict[str, "list[str]"]

PIDS: Final = 4096
"""Processes and threads unless --pids says otherwise: more than a build needs, fewer than a fork bomb."""

SIZES: Final = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "": 1.0}

# name, what its value is ("" for a switch), help
OPTIONS: Final = (
    ("root", "DIR", "Use this directory as the root, not the machine's own."),
    ("readonly", "", "Let nothing be written outside /tmp, /run and /dev/shm."),
    ("overlay", "DIR", "Keep what is written over the root in DIR (else it is forgotten)."),
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


class UsageError(Exception):
    """The command line makes no sense."""


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
        outcome = session.run(spec, diff="diff" in values, events=values.get("events", [""])[-1])
    except SandboxError as error:
        return _refused(error)
    _tell(outcome, spec)
    return outcome.exit_status()


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


# from options to a specification


def spec_of(values: Mapping[str, Sequence[str]], command: Sequence[str]) -> SandboxSpec:
    """The sandbox that the options describe. UsageError if one is malformed."""
    from sekisho.sandbox.spawn import host, session
    from sekisho.sandbox.spec import Namespaces, Process, SandboxSpec, User

    last = {name: given[-1] for name, given in values.items()}
    network = _network(values)
    kinds = {"pid", "ipc", "uts", "mount", "cgroup"} | ({"network"} if network.mode != "host" else set())
    id = f"do-{os.getpid()}"
    terminal = "tty" in values or ("no-tty" not in values and session.terminal_wanted())
    size = tuple(os.get_terminal_size(0)) if terminal and os.isatty(0) else None
    limits = _limits(last)
    hidden = {*(host.secrets() if "root" not in values else ()), *values.get("hide", ())}
    return SandboxSpec(
        id=id,
        process=Process(
            argv=tuple(command),
            env=host.environment(values.get("env", ())),
            cwd=last.get("cwd") or ("/" if "root" in values else os.getcwd()),  # noqa: PTH109  start-up
            user=User(uid=os.geteuid(), gid=os.getegid(), groups=tuple(os.getgroups()), umask=_umask()),
            terminal=terminal,
            console_size=(size[1], size[0]) if size else None,
        ),
        root=_root(last, readonly="readonly" in values),
        mounts=_mounts(values, host),
        hostname=last.get("hostname", "sandbox"),
        namespaces=Namespaces(new=frozenset(kinds)),
        limits=limits,
        cgroup=f"sekisho/{id}" if _grouped(last) else "",
        network=network,
        masked_paths=tuple(sorted(hidden - set(values.get("show", ())))),
        options=frozenset({"sealed-network"} if network.mode == "none" else ()),
    )


RULED: Final = ("allow", "allow-domain", "publish", "nameserver")
"""Options that only rules give a meaning; with one of them they need not be asked for."""


def _network(values: Mapping[str, Sequence[str]]) -> Network:
    from sekisho.sandbox.spec import Network

    ruled = [name for name in RULED if name in values]
    mode = values["net"][-1] if "net" in values else "host-rules" if ruled else "none"
    if mode not in ("none", "host-rules", "host"):
        raise UsageError(f"--net is none, host-rules or host, not {mode!r}")
    if mode != "host-rules":
        if ruled:
            raise UsageError(f"--{ruled[0]} means nothing with --net {mode}")
        return Network(mode=mode)
    from sekisho.sandbox.network import wanted

    try:
        for text in values.get("nameserver", ()):
            wanted.nameserver(text)
        return Network(
            mode="rules",
            egress=(
                *(wanted.rule(text) for text in values.get("allow", ())),
                *(wanted.rule(text, domain=True) for text in values.get("allow-domain", ())),
            ),
            published=tuple(wanted.published(text) for text in values.get("publish", ())),
            nameservers=tuple(values.get("nameserver", ())),
        )
    except ValueError as error:
        raise UsageError(f"--{'/'.join(ruled)}: {error}") from None


def _umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask


def _root(last: Mapping[str, str], *, readonly: bool) -> Root:
    from sekisho.sandbox.spec import Root

    path = os.path.abspath(last.get("root", "/"))  # noqa: PTH100  start-up
    writes = os.path.abspath(last["overlay"]) if "overlay" in last else "memory"  # noqa: PTH100  start-up
    return Root(path=path, readonly=readonly, writes=writes)


def _mounts(values: Mapping[str, Sequence[str]], host: Any) -> tuple[Mount, ...]:
    from sekisho.sandbox.spec import Mount

    found = [*(host.SYSTEM if "root" in values else host.mounts())]
    if "readonly" in values:
        found.append(Mount(destination="/tmp", type="tmpfs", options=("mode=1777",)))  # noqa: S108  its own
    found += [
        Mount(destination=_absolute(path), type="tmpfs", options=("mode=1777",))
        for path in values.get("tmpfs", ())
    ]
    for text in values.get("mount", ()):
        source, _, rest = text.partition(":")
        target, _, mode = rest.partition(":")
        if not source or mode not in ("", "ro", "rw"):
            raise UsageError(f"--mount is SOURCE:TARGET[:ro|rw], not {text!r}")
        options = ("rbind",) if mode == "rw" else ("rbind", "ro")
        found.append(
            Mount(
                destination=_absolute(target or source),
                type="bind",
                source=_absolute(source),
                options=options,
            )
        )
    return tuple(found)


def _absolute(path: str) -> str:
    if not path.startswith("/"):
        raise UsageError(f"{path!r} is not an absolute path")
    return path


def _limits(last: Mapping[str, str]) -> Limits:
    from sekisho.sandbox.spec import Limits

    cpus = _number(last["cpus"], "--cpus") if "cpus" in last else None
    return Limits(
        memory=_size(last["memory"]) if "memory" in last else None,
        cpu_quota=int(cpus * 100_000) if cpus is not None else None,
        pids=int(_number(last["pids"], "--pids")) if "pids" in last else PIDS,
        seconds=_duration(last["time"]) if "time" in last else None,
    )


def _grouped(last: Mapping[str, str]) -> bool:
    """Whether a cgroup is made: for what was asked for, and else where one can be."""
    return os.geteuid() == 0 or bool(last.keys() & {"memory", "cpus", "pids"})


def _number(text: str, option: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise UsageError(f"{option} is a number, not {text!r}") from None
    if not 0 < value < 1e9:
        raise UsageError(f"{option} is more than 0, not {text}")
    return value


def _size(text: str) -> int:
    bare = text.upper().removesuffix("B").removesuffix("I")
    unit = bare[-1:] if bare[-1:] in "KMGT" else ""
    return int(_number(bare[: len(bare) - len(unit)], "--memory") * SIZES[unit])


def _duration(text: str) -> float:
    for unit in ("ms", "s", "m", "h", ""):
        if text.endswith(unit):
            return _number(text[: len(text) - len(unit)], "--time") * UNITS[unit]
    raise AssertionError("every text ends with nothing")


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
