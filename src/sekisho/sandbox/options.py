"""From options, as the shell and Python give them, to a specification."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any, Final

    from sekisho.sandbox.spec import Limits, Mount, Network, Root, SandboxSpec

PIDS: Final = 4096
"""Processes and threads unless --pids says otherwise: more than a build needs, fewer than a fork bomb."""

SIZES: Final = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "": 1.0}


class UsageError(Exception):
    """The command line makes no sense."""


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
            cwd=last.get("cwd") or ("/" if "root" in values else os.getcwd()),
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

    path = os.path.abspath(last.get("root", "/"))
    kept = last.get("overlay") or last.get("keep")
    writes = os.path.abspath(kept) if kept else "memory"
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
