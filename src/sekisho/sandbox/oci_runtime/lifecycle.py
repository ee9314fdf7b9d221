"""What several commands do with a container: make it, start it, end it, remove it."""

from __future__ import annotations

import os
import time

from sekisho.sandbox.errors import SandboxError
from sekisho.sandbox.events import open_file
from sekisho.sandbox.oci_runtime import decode, hooks, store, text
from sekisho.sandbox.oci_runtime.groups import Group
from sekisho.sandbox.spec import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from sekisho.sandbox.oci_runtime.decode import Container
    from sekisho.sandbox.oci_runtime.main import Context
    from sekisho.sandbox.oci_runtime.store import Record, Store
    from sekisho.sandbox.spawn.launch import Running
    from sekisho.sandbox.spec import Hook, Process, SandboxSpec

PATIENCE = 10.0
"""Seconds that a killed container may take to be gone."""
PAUSE = 0.005
SOON = 0.0005


def create(context: Context, id: str) -> tuple[Record, Running]:
    """Make a container from a bundle; its program waits at the gate. Nothing is left behind if that fails."""
    kept = context.store
    bundle = os.path.abspath(context.call.text("bundle", "."))
    config = text.parse_file(f"{bundle}/config.json")
    container = decode.decode(config, bundle=bundle, id=id, systemd=context.call.is_set("systemd-cgroup"))
    for warning in container.warnings:
        context.warn(warning)
    folder = kept.reserve(id)
    undo: list[Callable[[], None]] = [lambda: kept.remove(id)]
    try:
        with open(f"{folder}/config.json", "w", encoding="utf-8", errors="surrogateescape") as file:
            file.write(text.write(config))
        return _make(context, container, undo)
    except BaseException:
        for step in reversed(undo):
            step()
        raise


def _make(context: Context, container: Container, undo: list[Callable[[], None]]) -> tuple[Record, Running]:
    """The steps of making, each with what takes it back."""
    from sekisho.sandbox.oci_runtime import console, groups, program
    from sekisho.sandbox.spawn import launch

    spec, call, kept = container.spec, context.call, context.store
    socket = call.text("console-socket")
    if spec.process.terminal and not socket and call.command == "create":
        raise SandboxError("SBX118", "the process wants a terminal: give --console-socket")
    if socket and not spec.process.terminal:
        raise SandboxError("SBX118", "--console-socket is given, but process.terminal is not true")
    if container.has_process:
        program.check(spec)
    path = groups.resolve(spec.cgroup, spec.id, systemd=spec.systemd_cgroup)
    group = groups.make(path, spec.limits)
    undo.append(lambda: Group(path).remove())
    gate_fd = -1 if starts_at_once(call.command, spec) else _gate(kept.gate(spec.id))
    events = open_file(kept.events(spec.id))
    running = launch.start(
        replace(spec, reports=True),
        own_process=True,
        gate=gate_fd,
        detached=call.command == "create" or call.flag("detach"),
        doors=group.doors() if group else (),
        control=kept.control(spec.id),
        events=events,
    )
    undo.append(lambda: _end(running.sentry))
    for fd in (events, gate_fd):
        if fd >= 0:
            os.close(fd)
    record = store.Record(
        id=spec.id,
        version=container.version,
        pid=running.sentry,
        began=store.began(running.sentry),
        init=running.init,
        init_began=store.began(running.init),
        bundle=os.path.abspath(call.text("bundle", ".")),
        rootfs=spec.root.path,
        created=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        owner=_owner(),
        cgroup=path if group else "",
        upper=spec.root.writes if spec.root.writes.startswith("/") else "",
        annotations=dict(spec.annotations),
    )
    kept.save(record)
    if spec.hooks:
        state = {**store.state(kept, record), "status": store.CREATED}
        for stage in ("prestart", "createRuntime", "createContainer"):
            hooks.run(stage, spec.hooks.get(stage, ()), state)
    if running.console >= 0 and socket:
        console.send(socket, running.console)
    if call.text("pid-file"):
        write_pid(call.text("pid-file"), record.pid)
    return record, running


def starts_at_once(command: str, spec: SandboxSpec) -> bool:
    """Whether the program need not wait: ``run`` without a hook that comes between create and start."""
    return command == "run" and bool(spec.process.argv) and not spec.hooks


def _gate(path: str) -> int:
    """Make the gate, and open it for both ways, so that nobody waits to open it."""
    os.mkfifo(path, 0o600)
    return os.open(path, os.O_RDWR | os.O_CLOEXEC)


def _owner() -> str:
    if os.geteuid() == 0:
        return "root"  # what it is called everywhere; asking takes half a millisecond
    import pwd

    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())


def write_pid(path: str, pid: int) -> None:
    """Write a process id to a file: whole, or not at all. Engines read it as soon as it is there."""
    name = f"{os.path.dirname(os.path.abspath(path))}/.{os.path.basename(path)}"
    with open(name, "w", encoding="ascii") as file:
        file.write(str(pid))
    os.rename(name, path)


def start(kept: Store, record: Record) -> None:
    """Open the gate. SBX119 unless the container is created; SBX115 if a poststart hook fails."""
    status = kept.status(record)
    if status != store.CREATED:
        raise SandboxError("SBX119", f"cannot start a container that is {status}")
    spec = spec_of(kept, record)
    if not spec.process.argv:
        raise SandboxError("SBX122", "config.json: process.args is missing, so there is nothing to start")
    if "startContainer" in spec.hooks:
        hooks.run_inside(
            "startContainer",
            spec.hooks["startContainer"],
            store.state(kept, record),
            lambda process: _enter(kept, record, spec, process),
        )
    waiting = store.image(record.init)
    gate = kept.gate(record.id)
    fd = os.open(gate, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(fd, b"\0")
    finally:
        os.close(fd)
    end = time.monotonic() + PATIENCE
    while store.image(record.init) == waiting and time.monotonic() < end:
        time.sleep(SOON)  # a signal that comes before the program is executed would be lost
    os.unlink(gate)
    if "poststart" not in spec.hooks:
        return
    state = {**store.state(kept, record), "status": store.RUNNING, "pid": record.init}
    try:
        hooks.run("poststart", spec.hooks["poststart"], state)
    except SandboxError:
        kill(record)
        raise


def _enter(kept: Store, record: Record, spec: SandboxSpec, process: Process) -> int:
    """Start another program in a container, as its user; our child."""
    from sekisho.sandbox.spawn import join

    process = replace(process, user=spec.process.user, capabilities=spec.process.capabilities)
    joined = join.enter(
        replace(spec, process=process),
        init_pid=record.init,
        control=kept.control(record.id),
        doors=Group(record.cgroup).doors(),
    )
    return joined.pid


def spec_of(kept: Store, record: Record) -> SandboxSpec:
    """The sandbox that a container was made from."""
    spec = decode.decode(kept.config(record.id), bundle=record.bundle, id=record.id).spec
    return replace(spec, reports=True)


def kill(record: Record) -> None:
    """End every process of a container and wait until they are gone."""
    if store.is_alive(record.init, record.init_began):
        _signal(record.init, 9)
    end = time.monotonic() + PATIENCE
    while store.is_alive(record.pid, record.began):
        if time.monotonic() > end:
            _signal(record.pid, 9)
        if time.monotonic() > end + PATIENCE:
            raise SandboxError("SBX119", f"container {record.id} does not end")
        _bury(record.pid)
        time.sleep(PAUSE)


def _end(pid: int) -> None:
    """End a Sentry of ours, and with it its sandbox."""
    _signal(pid, 9)
    _bury(pid, wait=True)


def _signal(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass  # it ended by itself


def _bury(pid: int, *, wait: bool = False) -> None:
    """Take in the end of a process, if it is our child."""
    try:
        os.waitpid(pid, 0 if wait else os.WNOHANG)
    except ChildProcessError:
        pass


def remove(context: Context, record: Record) -> None:
    """Remove what a stopped container leaves; poststop hooks that fail are only warned of."""
    kept = context.store
    spec_hooks = spec_hooks_of(kept, record, "poststop")
    if record.cgroup:
        Group(record.cgroup).remove()
    state = {**store.state(kept, record), "status": store.STOPPED, "pid": 0} if spec_hooks else {}
    kept.remove(record.id)
    for hook in spec_hooks:
        try:
            hooks.run("poststop", (hook,), state)
        except SandboxError as error:
            context.warn(error.message)


def spec_hooks_of(kept: Store, record: Record, stage: str) -> tuple[Hook, ...]:
    """The hooks of a stage, from the configuration that was kept; the rest of it may be gone by now."""
    return decode.decode_hooks(kept.config(record.id)).get(stage, ())
