"""The command line: which command takes which flags. As runc's and runsc's, for the programs that call them.

A flag is written ``--name value`` or ``--name=value``, with one dash or two; flags end at ``--`` or, for
commands that run a program, at the first word that is none.
"""

from __future__ import annotations

from sekisho.sandbox.errors import SandboxError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Final

FLAG: Final = "flag"
TEXT: Final = "text"
MANY: Final = "many"

GLOBAL: Final = {
    "root": TEXT,
    "log": TEXT,
    "log-format": TEXT,
    "debug": FLAG,
    "systemd-cgroup": FLAG,
    "rootless": TEXT,
    "criu": TEXT,
    "version": FLAG,
    "help": FLAG,
}
SHORT: Final = {
    "v": "version", "h": "help", "b": "bundle", "d": "detach", "e": "env", "t": "tty", "u": "user",
    "p": "process", "f": "format", "q": "quiet", "a": "all", "r": "resources", "g": "additional-gids",
    "c": "cap",
}  # fmt: skip

_CREATE: Final = {
    "bundle": TEXT,
    "console-socket": TEXT,
    "pid-file": TEXT,
    "no-pivot": FLAG,
    "no-new-keyring": FLAG,
    "preserve-fds": TEXT,
    "pidfd-socket": TEXT,
}
_EXEC: Final = {
    "process": TEXT,
    "console-socket": TEXT,
    "pid-file": TEXT,
    "internal-pid-file": TEXT,
    "cwd": TEXT,
    "env": MANY,
    "tty": FLAG,
    "user": TEXT,
    "additional-gids": MANY,
    "detach": FLAG,
    "cap": MANY,
    "no-new-privs": FLAG,
    "apparmor": TEXT,
    "process-label": TEXT,
    "preserve-fds": TEXT,
    "no-subreaper": FLAG,
    "ignore-paused": FLAG,
    "cgroup": TEXT,
    "pidfd-socket": TEXT,
}
_INSTALL: Final = {"runtime": TEXT, "config-file": TEXT, "wrapper": TEXT}
_SPEC: Final = {"bundle": TEXT, "rootless": FLAG, "cwd": TEXT, "netns": TEXT}
_CHECKPOINT: Final = dict.fromkeys(
    (
        "leave-running", "tcp-established", "tcp-skip-in-flight", "link-remap", "ext-unix-sk", "shell-job",
        "lazy-pages", "file-locks", "pre-dump", "auto-dedup", "detach", "no-subreaper", "no-pivot",
        "no-new-keyring", "background", "direct",
    ),
    FLAG,
) | dict.fromkeys(
    (
        "image-path", "work-path", "parent-path", "status-fd", "page-server", "manage-cgroups-mode",
        "empty-ns", "bundle", "console-socket", "pid-file", "lsm-profile", "lsm-mount-context", "compression",
    ),
    TEXT,
)  # fmt: skip


class Command:
    """A command: the module that runs it, how many words it takes, its flags, and a line of help."""

    __slots__ = ("flags", "help", "least", "module", "most", "words")

    def __init__(
        self, module: str, words: str, flags: Mapping[str, str], help: str, *, rest: bool = False
    ) -> None:
        self.module = module
        self.words = words
        names = words.split()
        self.least = sum(not name.startswith("[") for name in names)
        self.most = 1 << 30 if rest else len(names)
        self.flags = flags
        self.help = help


COMMANDS: Final = {
    "create": Command("create", "ID", _CREATE, "make a container; its program waits for start"),
    "start": Command("start", "ID", {}, "run the program of a container that was made"),
    "run": Command(
        "run",
        "ID",
        {**_CREATE, "detach": FLAG, "keep": FLAG, "no-subreaper": FLAG},
        "create and start, and wait for the end",
    ),
    "exec": Command("exec", "ID [PROGRAM]", _EXEC, "run another program in a container", rest=True),
    "kill": Command("kill", "ID [SIGNAL]", {"all": FLAG, "pid": TEXT}, "send a signal (TERM)"),
    "delete": Command("delete", "ID", {"force": FLAG}, "remove a container that has stopped"),
    "state": Command("state", "ID", {}, "print the state"),
    "list": Command("listing", "", {"format": TEXT, "quiet": FLAG}, "list the containers"),
    "ps": Command("ps", "ID [OPTION]", {"format": TEXT}, "list the processes of a container", rest=True),
    "pause": Command("freeze", "ID", {}, "stop every process of a container"),
    "resume": Command("freeze", "ID", {}, "let them go on"),
    "events": Command("events", "ID", {"stats": FLAG, "interval": TEXT}, "print figures and lack of memory"),
    "update": Command(
        "update",
        "ID",
        dict.fromkeys(
            (
                "resources", "memory", "memory-swap", "memory-reservation", "cpu-period", "cpu-quota",
                "cpu-share", "cpuset-cpus", "cpuset-mems", "pids-limit", "blkio-weight", "cpu-rt-period",
                "cpu-rt-runtime", "kernel-memory", "kernel-memory-tcp", "l3-cache-schema", "mem-bw-schema",
                "cpu-idle", "cpu-burst",
            ),
            TEXT,
        ),
        "change the limits of a container",
    ),
    "wait": Command("wait", "ID", {}, "wait for the end, and print the exit status"),
    "spec": Command("spec", "", _SPEC, "write a config.json"),
    "features": Command("features", "", {}, "print what this runtime can do"),
    "install": Command("install", "", _INSTALL, "make it known to Docker"),
    "uninstall": Command("install", "", _INSTALL, "take it from Docker again"),
    "port-forward": Command(
        "port_forward", "ID PORT", {"check": FLAG}, "connect to a port inside, or only --check it"
    ),
    "tar": Command("tar", "KIND ID", {"file": TEXT}, "write what was changed (rootfs-upper)"),
    "metrics": Command("metrics", "[ID]", {}, "print figures for Prometheus"),
    "trace": Command("trace", "ID", {}, "show the calls that threads are in"),
    "checkpoint": Command("checkpoint", "ID", _CHECKPOINT, "not supported; says why"),
    "restore": Command("checkpoint", "ID", _CHECKPOINT, "not supported; says why"),
}  # fmt: skip


class Call:
    """A command line, taken apart."""

    __slots__ = ("command", "flags", "settings", "words")

    def __init__(
        self,
        command: str,
        words: tuple[str, ...],
        flags: Mapping[str, tuple[str, ...]],
        settings: Mapping[str, tuple[str, ...]],
    ) -> None:
        self.command = command
        self.words = words
        self.flags = flags
        self.settings = settings

    def flag(self, name: str) -> bool:
        """Whether a flag of the command is set."""
        return self.flags.get(name, ("false",))[-1] not in ("false", "0")

    def text(self, name: str, default: str = "") -> str:
        """The last value of a flag of the command."""
        return self.flags[name][-1] if name in self.flags else default

    def many(self, name: str) -> tuple[str, ...]:
        """Every value of a flag of the command."""
        return self.flags.get(name, ())

    def setting(self, name: str, default: str = "") -> str:
        """The last value of a flag before the command."""
        return self.settings[name][-1] if name in self.settings else default

    def is_set(self, name: str) -> bool:
        """Whether a flag before the command is set."""
        return self.setting(name, "false") not in ("false", "0")


def usage(message: str) -> SandboxError:
    """The command line cannot be understood."""
    return SandboxError("SBX110", message, "sekisho-runtime --help lists commands and flags")


def parse(arguments: Sequence[str]) -> Call:
    """Take a command line apart. SandboxError SBX110."""
    settings, rest = _flags(arguments, GLOBAL, stop=True)
    if not rest or "help" in settings or "version" in settings:
        return Call("version" if "version" in settings else "help", tuple(rest), {}, settings)
    name = rest[0]
    if name == "help":
        return Call("help", (), {}, settings)
    command = COMMANDS.get(name)
    if command is None:
        raise usage(f"there is no command {name}")
    runs_program = command.most > len(command.words.split())
    flags, words = _flags(rest[1:], {**GLOBAL, **command.flags}, stop=runs_program)
    if runs_program and words:
        more, words = _after_first(words, command)
        flags = {**flags, **more}
    settings |= {flag: values for flag, values in flags.items() if flag not in command.flags}
    if "help" in flags:
        return Call("help", (name,), {}, settings)
    if not command.least <= len(words) <= command.most:
        raise usage(f"{name} takes: {command.words or 'no words'}")
    return Call(name, tuple(words), flags, settings)


def _after_first(words: list[str], command: Command) -> tuple[dict[str, tuple[str, ...]], list[str]]:
    """Flags between the container's id and the program, which runc takes too."""
    if len(words) < 2 or not words[1].startswith("-"):
        return {}, words
    flags, rest = _flags(words[1:], command.flags, stop=True)
    return flags, [words[0], *rest]


def _flags(
    arguments: Sequence[str], known: Mapping[str, str], *, stop: bool
) -> tuple[dict[str, tuple[str, ...]], list[str]]:
    found: dict[str, tuple[str, ...]] = {}
    words: list[str] = []
    at = 0
    while at < len(arguments):
        word = arguments[at]
        at += 1
        if word == "--":
            return found, [*words, *arguments[at:]]
        if not word.startswith("-") or word == "-":
            if stop:
                return found, [*words, *arguments[at - 1 :]]
            words.append(word)
            continue
        name, equals, value = word.lstrip("-").partition("=")
        name = name.replace("_", "-")  # runsc writes some so
        name = name if name in known else SHORT.get(name, name)
        kind = known.get(name)
        if kind is None:
            raise usage(f"unknown flag {word.partition('=')[0]}")
        if kind == FLAG:
            value = value if equals else "true"
        elif not equals:
            if at == len(arguments):
                raise usage(f"flag {word} needs a value")
            value = arguments[at]
            at += 1
        found[name] = (*found.get(name, ()), value)
    return found, words


def help_text(words: Sequence[str]) -> str:
    """Help for a command, or the list of commands."""
    if words and words[0] in COMMANDS:
        command = COMMANDS[words[0]]
        flags = "".join(
            f"  --{name}{'' if kind == FLAG else ' VALUE'}\n" for name, kind in command.flags.items()
        )
        line = f"sekisho-runtime {words[0]} [FLAGS] {command.words}".rstrip()
        return f"Usage: {line}\n\n{command.help}\n" + (f"\nFlags\n{flags}" if flags else "")
    rows = "".join(f"  {name:13} {command.help}\n" for name, command in COMMANDS.items())
    flags = "".join(f"  --{name}{'' if kind == FLAG else ' VALUE'}\n" for name, kind in GLOBAL.items())
    return (
        "Usage: sekisho-runtime [FLAGS] COMMAND [FLAGS] ...\n\n"
        "An OCI runtime whose containers are sandboxes: a kernel in Python answers their calls.\n\n"
        f"Commands\n{rows}\nFlags\n{flags}\n"
        "Example: sekisho-runtime run --bundle /path/to/bundle web\n"
    )
