"""``sekisho sandbox check``: will it run in a sandbox, and what will that cost?"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

if TYPE_CHECKING:
    from sekisho.sandbox.trace.compare import Made, Run
    from sekisho.sandbox.trace.tracer import Traced

HELP: Final = "run as root, or see kernel.yama.ptrace_scope"

FILES_MOST: Final = 10_000
BYTES_MOST: Final = 256 << 20
"""Files of the working directory, and bytes of them, that are compared; of larger ones nothing is said."""


@click.command(
    epilog="Example: sekisho sandbox check -- python3 job.py",
    context_settings={"ignore_unknown_options": False, "allow_interspersed_args": False},
)
@click.option(
    "--option", "options", multiple=True, help="An option of `sandbox do`, such as --option=--memory=1G."
)
@click.option(
    "--timeout", type=float, default=600.0, show_default=True, help="Seconds that each run may take."
)
@click.option(
    "-o", "--output", type=click.Choice(["text", "json"]), default="text", help="Form of the output."
)
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def command(*, command: tuple[str, ...], options: tuple[str, ...], timeout: float, output: str) -> int:
    """Run COMMAND in a sandbox, and natively, and say what differs.

    It runs three times: in a sandbox first, then natively in this directory, then natively under trace. So
    this is for programs that you would run natively anyway. Compared are exit status, output, and the files
    below this directory.

    Exit status 0 if the results are the same, 1 if they differ.
    """
    from sekisho.sandbox.trace.compare import compare, lines

    with tempfile.TemporaryDirectory(prefix="sekisho-check-") as folder:
        inside, denied = _inside(command, options, Path(folder), timeout)
        native = _native(command, timeout)
        made = _traced(command)
        start = _run([sys.executable, "-m", "sekisho", "sandbox", "do", "--no-tty", "--", "true"], timeout)[3]
    found = compare(made, denied, native, inside, start)
    if output == "json":
        click.echo(json.dumps({"runs": found.runs, **asdict(found)}, indent=2))
    else:
        for line in lines(found):
            click.echo(line)
    return int(not found.runs)


def _environment() -> dict[str, str]:
    """What a sandbox passes on, so that both have the same."""
    from sekisho.sandbox.spawn.host import environment

    return dict(item.split("=", 1) for item in environment(()))


def _run(
    line: Sequence[str], timeout: float, env: Mapping[str, str] | None = None
) -> tuple[int, bytes, bytes, float]:
    begin = time.monotonic()
    try:
        done = subprocess.run(  # noqa: S603  it is what we are for
            line, stdin=subprocess.DEVNULL, env=env, capture_output=True, timeout=timeout, check=False
        )
    except FileNotFoundError:
        raise click.UsageError(f"{line[0]} is not there") from None
    except PermissionError:
        raise click.UsageError(f"{line[0]} cannot be executed") from None
    except subprocess.TimeoutExpired:
        raise click.ClickException(f"it takes more than {timeout:g} s (--timeout)") from None
    return done.returncode, done.stdout, done.stderr, time.monotonic() - begin


def _inside(
    command: Sequence[str], options: Sequence[str], folder: Path, timeout: float
) -> tuple[Run, Mapping[tuple[str, str], int]]:
    """In a sandbox whose writes are kept; what it denied, by program and call."""
    from sekisho.sandbox.telling import denied
    from sekisho.sandbox.trace.compare import Run

    events, overlay, here = folder / "events", folder / "overlay", Path.cwd()
    overlay.mkdir()
    keep = ["--overlay", str(overlay)] if _on_root_disk(here) else []
    line = [
        sys.executable,
        "-m",
        "sekisho",
        "sandbox",
        "do",
        "--no-tty",
        "--events",
        str(events),
        *keep,
        *options,
    ]
    status, out, err, seconds = _run([*line, "--", *command], timeout)
    rows = (
        [json.loads(row) for row in events.read_text(encoding="ascii").splitlines()]
        if events.exists()
        else []
    )
    counts: dict[tuple[str, str], int] = {}
    for (call, _error, program, _command), count in denied(rows).items():
        counts[program, call] = counts.get((program, call), 0) + count
    files = _written(overlay / "upper" / here.relative_to("/"), here) if keep else {}
    status = 128 - status if status < 0 else status
    return Run(status=status, out=out, err=err, seconds=seconds, files=files), counts


def _on_root_disk(path: Path) -> bool:
    return path.stat().st_dev == Path("/").stat().st_dev


def _written(upper: Path, here: Path) -> dict[str, str]:
    """What an overlay holds of a directory: path and digest, an empty one for what was deleted."""
    found: dict[str, str] = {}
    if not upper.is_dir():
        return found
    for path in _walk(upper):
        info = path.lstat()
        name = path.relative_to(upper).as_posix()
        if os.major(info.st_rdev) == os.minor(info.st_rdev) == 0 and path.is_char_device():
            found[name] = ""
        elif path.is_file() and not path.is_symlink():
            digest = _digest(path)
            if not (here / name).is_file() or _digest(here / name) != digest:
                found[name] = digest
    return found


def _walk(folder: Path) -> list[Path]:
    found = []
    for top, _folders, names in os.walk(folder):
        found += [Path(top, name) for name in names]
        if len(found) > FILES_MOST:
            return []
    return found


def _digest(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()


def _snapshot(folder: Path) -> dict[str, str]:
    paths = [path for path in _walk(folder) if path.is_file() and not path.is_symlink()]
    if sum(path.stat().st_size for path in paths) > BYTES_MOST:
        return {}
    return {path.relative_to(folder).as_posix(): _digest(path) for path in paths}


def _native(command: Sequence[str], timeout: float) -> Run:
    from sekisho.sandbox.trace.compare import Run

    here = Path.cwd()
    before = _snapshot(here) if _on_root_disk(here) else {}
    status, out, err, seconds = _run(command, timeout, _environment())
    after = _snapshot(here) if _on_root_disk(here) else {}
    files = {name: digest for name, digest in after.items() if before.get(name) != digest}
    files.update({name: "" for name in before if name not in after})
    status = 128 - status if status < 0 else status
    return Run(status=status, out=out, err=err, seconds=seconds, files=files)


def _traced(command: Sequence[str]) -> dict[tuple[str, int], Made]:
    """Native calls by program and number."""
    from sekisho.sandbox.trace import tracer
    from sekisho.sandbox.trace.compare import Made, is_answered

    made: dict[tuple[str, int], Made] = {}
    names: dict[int, str] = {}

    class Counter(tracer.Listener):
        def begins(self, call: Traced) -> None:
            name = names.get(call.tid) or names.setdefault(call.tid, _program(call.tid))
            times = made.setdefault((name, call.number), Made())
            times.count += 1
            times.answered += is_answered(call.number, call.args)

        def executes(self, tid: int) -> None:
            names.pop(tid, None)

    try:
        tracer.run(command, _environment(), Counter())
    except OSError as error:
        from sekisho.sandbox.errors import SandboxError

        problem = f"programs cannot be traced here: {error.strerror}"
        raise SandboxError("SBX025", problem, HELP).diagnostic() from None
    return made


def _program(tid: int) -> str:
    try:
        return Path(f"/proc/{tid}/comm").read_text(encoding="utf-8", errors="replace").rstrip("\n")
    except OSError:
        return "?"
