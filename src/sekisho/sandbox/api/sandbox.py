"""``Sandbox``: make one, run programs in it, put files in and get files out, see what it did."""

from __future__ import annotations

import asyncio
import io
import json
import os
import shutil
import subprocess
import tarfile
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from sekisho.sandbox.api.helper import Link, command
from sekisho.sandbox.api.process import AsyncProcess, Process
from sekisho.sandbox.api.values import Change, Event
from sekisho.sandbox.errors import SandboxError

PIPE: Final = subprocess.PIPE
EVENTS_MOST: Final = 100_000
"""Events that are kept; later ones go to ``on_event`` alone."""

Argv = Sequence[str | os.PathLike[str]]
Streams = int | Any | None
"""What ``subprocess`` takes for a stream: PIPE, DEVNULL, STDOUT, a descriptor, a file, None (inherit)."""


class Sandbox:
    """A sandbox: ``with Sandbox(...) as box: box.run([...])``, or ``async with`` and ``run_async``.

    Its programs see this machine's files without its secrets, or those of ``root``; what they write goes to
    an overlay that is forgotten at the end, or kept in the directory ``overlay``. All programs of one sandbox
    share its files, processes and network.

    ``mounts`` and ``publish`` are written as on the command line (``SOURCE:TARGET[:rw]``,
    ``[ADDRESS:][PORT:]INNER``), ``allow`` and ``allow_domains`` likewise (``[!]CIDR[:PORTS]``,
    ``DOMAIN[:PORTS]``); with any of the last three, ``net`` is ``host-rules``. ``memory`` is in bytes, or a
    text such as 512M; ``cpus`` a number of processors, ``time`` seconds for the whole sandbox. ``env`` are
    variables of every program; none of the caller's is passed on but PATH, HOME, LANG and the like.
    ``on_event`` is called, in a thread of its own, for every event.

    Nothing happens before ``start`` or the ``with`` statement. Expected failures are DiagnosticErrors. Any
    thread may use it.
    """

    def __init__(
        self,
        *,
        root: str | os.PathLike[str] | None = None,
        readonly: bool = False,
        overlay: str | os.PathLike[str] | None = None,
        mounts: Sequence[str] = (),
        tmpfs: Sequence[str] = (),
        hide: Sequence[str] = (),
        show: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
        cwd: str | os.PathLike[str] | None = None,
        hostname: str | None = None,
        memory: int | str | None = None,
        cpus: float | None = None,
        pids: int | None = None,
        time: float | None = None,
        net: str | None = None,
        allow: Sequence[str] = (),
        allow_domains: Sequence[str] = (),
        publish: Sequence[str] = (),
        nameservers: Sequence[str] = (),
        on_event: Callable[[Event], object] | None = None,
    ) -> None:
        single: dict[str, object] = {
            "root": root, "overlay": overlay, "cwd": cwd, "hostname": hostname, "memory": memory,
            "cpus": cpus, "pids": pids, "time": time, "net": net,
        }  # fmt: skip
        several = {
            "mount": mounts, "tmpfs": tmpfs, "hide": hide, "show": show, "allow": allow,
            "allow-domain": allow_domains, "publish": publish, "nameserver": nameservers,
            "env": [f"{name}={value}" for name, value in (env or {}).items()],
        }  # fmt: skip
        self._options: dict[str, list[str]] = {"no-tty": [""]}
        self._options.update({name: [_text(value)] for name, value in single.items() if value is not None})
        self._options.update({name: list(values) for name, values in several.items() if values})
        if readonly:
            self._options["readonly"] = [""]
        self._on_event = on_event
        self._events: list[Event] = []
        self._lock = threading.Lock()
        self._keeper: subprocess.Popen[bytes] | None = None
        self._link: Link | None = None
        self._place: dict[str, Any] = {}
        self._folder = ""
        self._reader: threading.Thread | None = None
        self._changes: tuple[Change, ...] | None = None

    # its life

    def start(self) -> Sandbox:
        """Make it. DiagnosticError if this machine or these options do not let it be made."""
        assert self._keeper is None, "a sandbox is started once"
        self._folder = tempfile.mkdtemp(prefix="sekisho-")
        reading, writing = os.pipe()
        os.set_blocking(writing, False)
        link, theirs = Link.pair()
        self._keeper = subprocess.Popen(  # noqa: S603  our own interpreter
            command("keep", theirs.fileno()), pass_fds=(theirs.fileno(), writing), stdin=subprocess.DEVNULL
        )
        theirs.close()
        self._link = link
        link.say({"options": self._options, "folder": self._folder, "events": writing})
        os.close(writing)
        self._reader = threading.Thread(target=self._read_events, args=(reading,), daemon=True)
        self._reader.start()
        try:
            self._place = {**link.hear(), "options": self._options, "folder": self._folder}
        except SandboxError as error:
            self.close()
            raise error.diagnostic() from None
        return self

    def close(self) -> None:
        """End it, with every program in it. What was written over files is forgotten, unless it is kept."""
        if self._keeper is None or self._link is None:
            return
        self._link.close()
        self._keeper.wait()
        self._link = None
        if self._reader is not None:
            self._reader.join()
        shutil.rmtree(self._folder, ignore_errors=True)

    def __enter__(self) -> Sandbox:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.close()

    async def __aenter__(self) -> Sandbox:
        return await asyncio.to_thread(self.start)

    async def __aexit__(self, *_: object) -> None:
        await asyncio.to_thread(self.close)

    # programs

    def _request(self, **more: object) -> dict[str, Any]:
        if self._link is None:
            raise SandboxError("SBX019", "the sandbox is not running").diagnostic()
        return {**self._place, **more}

    def popen(
        self,
        args: Argv,
        *,
        stdin: Streams = subprocess.DEVNULL,
        stdout: Streams = PIPE,
        stderr: Streams = PIPE,
        text: bool = False,
        encoding: str | None = None,
        cwd: str | None = None,
        env: Mapping[str, str] | None = None,
    ) -> Process:
        """Start a program and return at once; streams as in ``subprocess.Popen``.

        DiagnosticError SBX014 if it is not there, SBX015 if it cannot be executed.
        """
        argv = [os.fspath(arg) for arg in args]
        request = self._request(argv=argv, cwd=cwd, env=dict(env or {}))
        link, theirs = Link.pair()
        helper = subprocess.Popen(  # noqa: S603  our own interpreter
            command("enter", theirs.fileno()), pass_fds=(theirs.fileno(),), stdin=stdin, stdout=stdout,
            stderr=stderr, text=text or None, encoding=encoding,
        )  # fmt: skip
        theirs.close()
        link.say(request)
        try:
            pid = link.hear()["pid"]
        except SandboxError as error:
            link.close()
            helper.communicate()
            raise error.diagnostic() from None
        return Process(argv, helper, link, pid)

    def run(
        self,
        args: Argv,
        *,
        input: bytes | str | None = None,
        timeout: float | None = None,
        check: bool = False,
        text: bool = False,
        encoding: str | None = None,
        cwd: str | None = None,
        env: Mapping[str, str] | None = None,
    ) -> subprocess.CompletedProcess[Any]:
        """Run a program to its end, and give its status and what it wrote.

        subprocess.TimeoutExpired when it takes more than ``timeout`` seconds: then it and all that it has
        started were ended. subprocess.CalledProcessError with ``check`` when it fails.
        """
        process = self.popen(
            args,
            stdin=subprocess.DEVNULL if input is None else PIPE,
            text=text or isinstance(input, str),
            encoding=encoding,
            cwd=cwd,
            env=env,
        )
        with process:
            try:
                out, err = process.communicate(input, timeout)
            except subprocess.TimeoutExpired:
                process.kill()
                out, err = process.communicate()
                raise subprocess.TimeoutExpired(process.args, timeout or 0.0, out, err) from None
        assert process.returncode is not None
        done = subprocess.CompletedProcess(process.args, process.returncode, out, err)
        if check:
            done.check_returncode()
        return done

    async def popen_async(
        self,
        args: Argv,
        *,
        stdin: Streams = subprocess.DEVNULL,
        stdout: Streams = PIPE,
        stderr: Streams = PIPE,
        cwd: str | None = None,
        env: Mapping[str, str] | None = None,
    ) -> AsyncProcess:
        """``popen`` for ``asyncio``; bytes only."""
        argv = [os.fspath(arg) for arg in args]
        request = self._request(argv=argv, cwd=cwd, env=dict(env or {}))
        link, theirs = Link.pair()
        helper = await asyncio.create_subprocess_exec(
            *command("enter", theirs.fileno()),
            pass_fds=(theirs.fileno(),),
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
        )
        theirs.close()
        link.say(request)
        try:
            pid = (await asyncio.to_thread(link.hear))["pid"]
        except SandboxError as error:
            link.close()
            await helper.communicate()
            raise error.diagnostic() from None
        return AsyncProcess(argv, helper, link, pid)

    async def run_async(
        self,
        args: Argv,
        *,
        input: bytes | None = None,
        timeout: float | None = None,  # noqa: ASYNC109  as subprocess.run has it
        check: bool = False,
        cwd: str | None = None,
        env: Mapping[str, str] | None = None,
    ) -> subprocess.CompletedProcess[bytes]:
        """``run`` for ``asyncio``; bytes only. A task that is cancelled ends the program."""
        stdin = subprocess.DEVNULL if input is None else PIPE
        process = await self.popen_async(args, stdin=stdin, cwd=cwd, env=env)
        async with process:
            try:
                out, err = await asyncio.wait_for(process.communicate(input), timeout)
            except TimeoutError:
                process.kill()
                raise subprocess.TimeoutExpired(process.args, timeout or 0.0) from None
        assert process.returncode is not None
        done = subprocess.CompletedProcess(process.args, process.returncode, out, err)
        if check:
            done.check_returncode()
        return done

    # files

    def read_bytes(self, path: str) -> bytes:
        """A file's contents, as a program inside would read them. OSError as ``open`` raises it."""
        return self._transfer("read", path, b"")

    def read_text(self, path: str, encoding: str = "utf-8") -> str:
        """A file's contents as text."""
        return self.read_bytes(path).decode(encoding)

    def write_bytes(self, path: str, data: bytes, mode: int = 0o644) -> None:
        """Make or replace a file. OSError as ``open`` raises it."""
        self._transfer("write", path, data, mode=mode)

    def write_text(self, path: str, text: str, encoding: str = "utf-8", mode: int = 0o644) -> None:
        """Make or replace a file of text."""
        self.write_bytes(path, text.encode(encoding), mode)

    def put(self, source: str | os.PathLike[str], target: str) -> None:
        """Copy a file, or a directory with all that is in it, into the sandbox as ``target``."""
        path = Path(source)
        if not path.is_dir():
            self.write_bytes(target, path.read_bytes(), path.stat().st_mode & 0o777)
            return
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as tar:
            tar.add(path, arcname=".")
        self._transfer("unpack", target, packed.getvalue())

    def get(self, source: str, target: str | os.PathLike[str]) -> None:
        """Copy a file, or a directory with all that is in it, out of the sandbox as ``target``.

        What a sandbox packs is not trusted: nothing is made outside ``target``, and no device, no link that
        leads out of it, no set-user-id file.
        """
        try:
            Path(target).write_bytes(self.read_bytes(source))
        except IsADirectoryError:
            packed = self._transfer("pack", source, b"")
            with tarfile.open(fileobj=io.BytesIO(packed), mode="r") as tar:
                tar.extractall(target, filter="data")

    def _transfer(self, verb: str, path: str, data: bytes, **more: object) -> bytes:
        request = self._request(path=path, **more)
        link, theirs = Link.pair()
        helper = subprocess.Popen(  # noqa: S603  our own interpreter
            command(verb, theirs.fileno()), pass_fds=(theirs.fileno(),), stdin=PIPE, stdout=PIPE,
        )  # fmt: skip
        theirs.close()
        link.say(request)
        try:
            out, _ = helper.communicate(data)
            number = link.hear()["errno"]
        except SandboxError as error:
            raise error.diagnostic() from None
        finally:
            link.close()
        if number:
            raise OSError(number, os.strerror(number), path)
        return out

    # what it did

    def changes(self) -> tuple[Change, ...]:
        """What was written over files so far, disk by disk, in order: a dry run shows it and forgets it."""
        self._request()
        assert self._link is not None
        with self._lock:
            self._link.say({"do": "changes"})
            try:
                rows = self._link.hear()["changes"]
            except SandboxError as error:
                raise error.diagnostic() from None
        return tuple(Change(kind=kind, path=path) for kind, path in rows)

    @property
    def events(self) -> tuple[Event, ...]:
        """What has happened so far: verdicts on the network, denied calls."""
        return tuple(self._events)

    def _read_events(self, fd: int) -> None:
        with os.fdopen(fd, encoding="ascii", errors="replace") as file:
            for line in file:
                try:
                    row = json.loads(line)
                except ValueError:
                    continue  # a line that was cut short by the end of who wrote it
                event = Event(kind=row.pop("event"), time=row.pop("time"), data=row)
                if len(self._events) < EVENTS_MOST:
                    self._events.append(event)
                if self._on_event is not None:
                    self._on_event(event)


def _text(value: object) -> str:
    return os.fspath(value) if isinstance(value, os.PathLike) else str(value)


def run(
    args: Argv,
    *,
    input: bytes | str | None = None,
    timeout: float | None = None,
    check: bool = False,
    text: bool = False,
    **options: Any,
) -> subprocess.CompletedProcess[Any]:
    """Run one program in a sandbox of its own; ``options`` are those of ``Sandbox``."""
    with Sandbox(**options) as box:
        return box.run(args, input=input, timeout=timeout, check=check, text=text)
