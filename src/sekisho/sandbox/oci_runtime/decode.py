"""A bundle's config.json (runtime-spec 1.x) as a ``SandboxSpec``, or an error that names the field at fault.

Unknown fields are passed over, as the specification asks. What cannot be honoured is an error where it
would loosen or change what the container may rely on, and a warning where the sandbox does the same or
better by itself.
"""

from __future__ import annotations

import os

from sekisho.sandbox.abi.capabilities import NAMES
from sekisho.sandbox.errors import SandboxError
from sekisho.sandbox.oci_runtime import decode_linux, tighten
from sekisho.sandbox.oci_runtime.fields import Fields, wrong
from sekisho.sandbox.spawn.init import LIMITS
from sekisho.sandbox.spec import Capabilities, Hook, Mount, Process, Rlimit, Root, SandboxSpec, User

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Final

SPEC_VERSION: Final = "1.2.1"
"""The newest version of the specification whose fields are all known here."""

STAGES: Final = ("prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop")

IGNORED_OPTIONS: Final = frozenset(
    ("copy", "mand", "nomand", "nosymfollow", "notmpcopyup", "symfollow", "tmpcopyup")
)
"""Options of mounts that other runtimes know; tmpcopyup would fill a file system in memory from the image."""

CAPABILITY_SETS: Final = ("inheritable", "permitted", "effective", "bounding", "ambient")

MOUNT_TYPES: Final = frozenset(
    ("bind", "none", "tmpfs", "proc", "sysfs", "devpts", "mqueue", "cgroup", "cgroup2")
)


class Container:
    """What a config.json says: the sandbox, whether it has a program, and what was passed over and why."""

    __slots__ = ("has_process", "spec", "version", "warnings")

    def __init__(
        self, spec: SandboxSpec, version: str, *, has_process: bool, warnings: tuple[str, ...]
    ) -> None:
        self.spec = spec
        self.version = version
        self.has_process = has_process
        self.warnings = warnings


def decode(config: Any, *, bundle: str, id: str, systemd: bool = False) -> Container:
    """Decode a config.json; ``bundle`` is absolute. SandboxError SBX121 (unsupported) or SBX122
    (malformed).
    """
    fields = Fields(config)
    warnings: list[str] = []
    version = _version(fields)
    process = fields.fields("process")
    spec = SandboxSpec(
        id=id,
        process=decode_process(process, warnings) if process.value else Process(argv=()),
        root=_root(fields.fields("root"), bundle),
        mounts=tuple(_mount(item, bundle, warnings) for item in fields.each("mounts")),
        hostname=fields.text("hostname"),
        domainname=fields.text("domainname"),
        hooks=_hooks(fields.fields("hooks")),
        annotations=fields.pairs("annotations"),
        systemd_cgroup=systemd,
    )
    spec = decode_linux.extend(spec, fields.fields("linux"), warnings)
    _user_needs(spec)
    spec = tighten.apply(spec)
    return Container(spec, version, has_process=bool(process.value), warnings=tuple(warnings))


def _version(fields: Fields) -> str:
    version = fields.needed("ociVersion")
    numbers = version.partition("-")[0].partition("+")[0].split(".")
    if len(numbers) != 3 or not all(part.isdigit() for part in numbers):
        raise wrong("ociVersion", "a version such as 1.0.2")
    if numbers[0] != "1":
        raise SandboxError("SBX121", f"config.json: ociVersion {version} is not known here")
    return version


def _user_needs(spec: SandboxSpec) -> None:
    for name, maps in (("uid", spec.uid_maps), ("gid", spec.gid_maps)):
        number = spec.process.user.uid if name == "uid" else spec.process.user.gid
        if maps and not any(item.inside <= number < item.inside + item.size for item in maps):
            raise wrong(f"process.user.{name}", f"inside linux.{name}Mappings")


def decode_process(fields: Fields, warnings: list[str]) -> Process:
    """The object ``process``, which ``exec --process`` has in a file of its own."""
    argv = fields.texts("args")
    cwd = fields.needed("cwd")
    if not cwd.startswith("/"):
        raise wrong(fields.place("cwd"), "an absolute path")
    env = fields.texts("env")
    warnings += [
        f"config.json: {fields.place('env')}[{index}] has no value and is passed over"
        for index, item in enumerate(env)
        if "=" not in item[1:]
    ]
    if fields.text("selinuxLabel"):
        raise SandboxError("SBX121", "config.json: process.selinuxLabel is not supported by sandboxes")
    for name in ("apparmorProfile", "scheduler", "ioPriority", "execCPUAffinity"):
        if fields.has(name):
            warnings.append(f"config.json: {fields.place(name)} has no effect in a sandbox")
    size = fields.fields("consoleSize")
    sets = _capabilities(fields.fields("capabilities"))
    return Process(
        argv=argv,
        env=tuple(item for item in env if "=" in item[1:]),
        cwd=cwd,
        user=_user(fields.fields("user")),
        terminal=fields.flag("terminal"),
        console_size=(size.count("height"), size.count("width")) if size.value else None,
        rlimits=_rlimits(fields),
        capabilities=sets.effective,
        shown_capabilities=sets,
        oom_score_adj=_score(fields),
        no_new_privileges=fields.flag("noNewPrivileges"),
    )


def _score(fields: Fields) -> int | None:
    score = fields.number("oomScoreAdj")
    if score is not None and not -1000 <= score <= 1000:
        raise wrong(fields.place("oomScoreAdj"), "between -1000 and 1000")
    return score


def _user(fields: Fields) -> User:
    umask = fields.number("umask")
    if umask is not None and not 0 <= umask <= 0o777:
        raise wrong(fields.place("umask"), "between 0 and 0777")
    ids = [fields.count("uid"), fields.count("gid"), *fields.counts("additionalGids")]
    if any(not 0 <= id < 0xFFFF_FFFF for id in ids):
        raise wrong(fields.at, "made of ids between 0 and 4294967294")
    return User(uid=ids[0], gid=ids[1], groups=tuple(ids[2:]), umask=umask)


def _rlimits(fields: Fields) -> tuple[Rlimit, ...]:
    found: dict[str, Rlimit] = {}
    for item in fields.each("rlimits"):
        name = item.needed("type")
        if name not in LIMITS:
            raise wrong(item.place("type"), "the name of a resource limit of Linux, such as RLIMIT_NOFILE")
        if name in found:
            raise wrong(item.place("type"), f"{name} only once")
        soft, hard = (_limit(item, side) for side in ("soft", "hard"))
        found[name] = Rlimit(name=name, soft=soft, hard=hard)
    return tuple(found.values())


def _limit(fields: Fields, side: str) -> int:
    value = fields.number(side)
    if value is None:
        raise wrong(fields.place(side), "there")
    return -1 if value >= (1 << 63) else value


def _capabilities(fields: Fields) -> Capabilities:
    """The five sets, for show. A name that no kernel knows is an error, as the specification asks."""
    found: dict[str, frozenset[str]] = {}
    for name in CAPABILITY_SETS:
        names = [item.upper() for item in fields.texts(name)]
        for index, item in enumerate(names):
            if item.removeprefix("CAP_") not in NAMES:
                raise wrong(f"{fields.place(name)}[{index}]", "the name of a capability of Linux")
        found[name] = frozenset(names)
    return Capabilities(**found)


def _root(fields: Fields, bundle: str) -> Root:
    path = os.path.normpath(os.path.join(bundle, fields.needed("path")))
    if not os.path.isdir(path):
        raise SandboxError("SBX122", f"config.json: root.path {path} is no directory")
    return Root(path=os.path.realpath(path), readonly=fields.flag("readonly"))


def _mount(fields: Fields, bundle: str, warnings: list[str]) -> Mount:
    destination = fields.needed("destination")
    options = fields.texts("options")
    type, source = fields.text("type"), fields.text("source")
    if "bind" in options or "rbind" in options:
        type = "bind"
        source = os.path.normpath(os.path.join(bundle, fields.needed("source")))
    if type not in MOUNT_TYPES or type == "none":
        raise SandboxError(
            "SBX121", f"config.json: {fields.place('type')} {type!r} cannot be mounted in a sandbox"
        )
    for name in ("uidMappings", "gidMappings"):
        if fields.has(name):
            raise SandboxError("SBX121", f"config.json: {fields.place(name)} is not supported by sandboxes")
    warnings += [
        f"config.json: {fields.place('options')}: {option} has no effect in a sandbox"
        for option in options
        if option in IGNORED_OPTIONS
    ]
    return Mount(
        destination=os.path.normpath("/" + destination.lstrip("/")),  # two slashes would stay
        type="cgroup" if type == "cgroup2" else type,
        source=source,
        options=tuple(option for option in options if option not in IGNORED_OPTIONS),
    )


def decode_hooks(config: Any) -> Mapping[str, tuple[Hook, ...]]:
    """The hooks of a config.json, by stage."""
    return _hooks(Fields(config).fields("hooks"))


def _hooks(fields: Fields) -> Mapping[str, tuple[Hook, ...]]:
    return {stage: tuple(_hook(item) for item in fields.each(stage)) for stage in STAGES if fields.has(stage)}


def _hook(fields: Fields) -> Hook:
    path = fields.needed("path")
    if not path.startswith("/"):
        raise wrong(fields.place("path"), "an absolute path")
    timeout = fields.number("timeout")
    if timeout is not None and timeout <= 0:
        raise wrong(fields.place("timeout"), "greater than zero")
    return Hook(path=path, args=fields.texts("args"), env=fields.texts("env"), timeout=timeout)
