"""What a sandbox is to be: the one value that the OCI runtime, the shell, Python and Pods hand to ``spawn``.

Texts that become bytes (paths, arguments, environment) are str as ``os.fsdecode`` makes them. Paths are
absolute unless said. Nothing here is checked against the machine: ``spawn`` does that, and
``oci_runtime.decode`` checks a bundle's config.
"""

from __future__ import annotations

from sekisho.sandbox.value import replace, value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

UNLIMITED = -1


@value
class User:
    """Who the workload is, inside. ``groups`` are the additional ones; without ``umask`` it is 0022."""

    uid: int = 0
    gid: int = 0
    groups: tuple[int, ...] = ()
    umask: int | None = None


@value
class Rlimit:
    """One resource limit: ``name`` as in RLIMIT_NOFILE; -1 is unlimited."""

    name: str
    soft: int
    hard: int


@value
class Capabilities:
    """Names of capabilities (CAP_CHOWN) that a process sees in its sets, whatever it holds of them."""

    inheritable: frozenset[str] = frozenset()
    permitted: frozenset[str] = frozenset()
    effective: frozenset[str] = frozenset()
    bounding: frozenset[str] = frozenset()
    ambient: frozenset[str] = frozenset()


@value
class Process:
    """One program to run: the sandbox's own, or one that is started in it later.

    ``console_size`` is (rows, columns). ``no_new_privileges`` is what is shown: no program gets any. of
    ``capabilities`` root holds those over files, ids and its own processes, in the sandbox's user
    namespace; nobody holds others.
    """

    argv: tuple[str, ...]
    env: tuple[str, ...] = ()
    cwd: str = "/"
    user: User = User()
    terminal: bool = False
    console_size: tuple[int, int] | None = None
    rlimits: tuple[Rlimit, ...] = ()
    capabilities: frozenset[str] = frozenset()
    shown_capabilities: Capabilities = Capabilities()
    oom_score_adj: int | None = None
    no_new_privileges: bool = True


@value
class Mount:
    """One mount of the sandbox's tree, in order.

    ``type`` is bind, tmpfs, proc, sysfs, devpts, mqueue or cgroup; ``source`` is a path of the host for a
    bind; ``options`` are mount(8)'s words.
    """

    destination: str
    type: str
    source: str = ""
    options: tuple[str, ...] = ()


@value
class Root:
    """The root file system.

    ``writes`` says where changes go: ``host`` (into ``path`` itself), ``memory`` (a tmpfs over it), or the
    absolute path of a directory that keeps them. Read-only roots keep none.
    """

    path: str
    readonly: bool = False
    writes: str = "host"


@value
class Device:
    """A device node that the sandbox's /dev shows: ``type`` is c, b or p. Only harmless ones are made."""

    path: str
    type: str
    major: int = 0
    minor: int = 0
    mode: int = 0o666
    uid: int = 0
    gid: int = 0


@value
class Limits:
    """Bounds on the whole sandbox; None is no bound. Bytes, and microseconds for the processor's quota."""

    memory: int | None = None
    memory_swap: int | None = None
    memory_reservation: int | None = None
    cpu_quota: int | None = None
    cpu_period: int | None = None
    cpu_shares: int | None = None
    cpuset_cpus: str = ""
    cpuset_mems: str = ""
    pids: int | None = None
    seconds: float | None = None


@value
class IdMap:
    """A range of ids: ``inside`` the sandbox's user namespace, ``outside`` it, how many."""

    inside: int
    outside: int
    size: int


@value
class Namespaces:
    """Which namespaces the sandbox has.

    ``new`` are made empty; ``joined`` maps a kind (network, ipc, uts, pid, user, cgroup, time) to the path of
    one that exists, such as a Pod's. A kind in neither is the host's, refused for pid and mount.
    """

    new: frozenset[str] = frozenset({"pid", "network", "ipc", "uts", "mount", "cgroup"})
    joined: Mapping[str, str] = {}


@value
class Egress:
    """One rule for outbound connections; the first that matches decides, and without a match it is refused.

    ``target`` is a CIDR or a domain (``*.example.com`` for those below it); no ``ports`` are all ports.
    """

    allow: bool
    target: str
    ports: tuple[tuple[int, int], ...] = ()
    protocol: str = "any"


@value
class Published:
    """A port of the sandbox, ``inner``, that the machine listens for at ``address`` and ``port`` (TCP)."""

    address: str
    port: int
    inner: int


@value
class Network:
    """Who may be talked to.

    ``mode``: ``none`` (loopback only), ``rules`` (sockets of the host's stack, by rules), ``host`` (the
    namespace's own, all allowed but metadata addresses). ``nameservers`` (``ADDRESS[:PORT]``) answer for the
    resolver of ``rules``; without any they are the machine's. ``search`` are domains that names are tried in.
    """

    mode: str = "none"
    egress: tuple[Egress, ...] = ()
    published: tuple[Published, ...] = ()
    nameservers: tuple[str, ...] = ()
    search: tuple[str, ...] = ()
    allow_metadata: bool = False


@value
class Hook:
    """A program that the runtime runs at a stage, the state on its standard input; ``timeout`` in seconds."""

    path: str
    args: tuple[str, ...] = ()
    env: tuple[str, ...] = ()
    timeout: int | None = None


@value
class SandboxSpec:
    """Everything that makes a sandbox.

    ``profile`` and ``options`` name the filter (``table``); with ``reports`` every denied call is told,
    with ``profiles`` where the Sentry's time went.
    ``cgroup`` is a path below the cgroup root, or ``slice:prefix:name`` for
    systemd; empty: none. ``hooks`` maps a stage to its programs.
    """

    id: str
    process: Process
    root: Root
    mounts: tuple[Mount, ...] = ()
    devices: tuple[Device, ...] = ()
    hostname: str = ""
    domainname: str = ""
    namespaces: Namespaces = Namespaces()
    uid_maps: tuple[IdMap, ...] = ()
    gid_maps: tuple[IdMap, ...] = ()
    limits: Limits = Limits()
    cgroup: str = ""
    systemd_cgroup: bool = False
    network: Network = Network()
    masked_paths: tuple[str, ...] = ()
    readonly_paths: tuple[str, ...] = ()
    sysctl: Mapping[str, str] = {}
    root_propagation: str = ""
    hooks: Mapping[str, tuple[Hook, ...]] = {}
    annotations: Mapping[str, str] = {}
    profile: str = "default"
    options: frozenset[str] = frozenset()
    reports: bool = False
    profiles: bool = False


__all__ = [
    "UNLIMITED",
    "Capabilities",
    "Device",
    "Egress",
    "Hook",
    "IdMap",
    "Limits",
    "Mount",
    "Namespaces",
    "Network",
    "Process",
    "Published",
    "Rlimit",
    "Root",
    "SandboxSpec",
    "User",
    "replace",
]
