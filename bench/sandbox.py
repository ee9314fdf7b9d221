"""The sandbox beside bare programs, and beside runc, runsc (ptrace) and bubblewrap where they are installed.

Start of ``true``, memory while idle, single calls, and whole programs. Calls and programs stay on one
processor, so that what is compared is work and not luck with idle ones.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.peers import normal

ROUNDS = 15
"""Starts of each; the minimum is shown, for others use this machine too."""

PROGRAMS = {
    "dd 4k": "dd if=/dev/zero of=/dev/null bs=4k count=131072 2>/dev/null",
    "CPU loop": "python3 -c 's=0\nfor i in range(6000000): s+=i'",
    "imports": "python3 -c 'import ssl,asyncio,json,http.server,unittest,sqlite3'",
    "gcc": "cd /tmp && printf '#include <stdio.h>\\nint main(){return 0;}' > sx.c && gcc -O2 sx.c -o sx.out",
    "tar": "cd /tmp && tar cf sx.tar /usr/lib/python3.11 2>&- ; mkdir -p sx.d && tar xf sx.tar -C sx.d",
    "find": "find /usr/lib -size +1M > /dev/null",
    "200 x true": "i=0; while [ $i -lt 200 ]; do /bin/true; i=$((i+1)); done",
}

CALLS = r"""
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e6 + t.tv_nsec / 1e3;
}
static int order(const void *a, const void *b) {
  double x = *(double *)a, y = *(double *)b;
  return (x > y) - (x < y);
}
#define N 3000
static double d[N];
#define CASE(name, code) do { for (int i = 0; i < N; i++) { double s = now(); code; d[i] = now() - s; } \
  qsort(d, N, sizeof *d, order); printf("%s=%.2f\n", name, d[N / 10]); } while (0)
int main(void) {
  char b[4096]; struct stat st;
  CASE("notify round trip (getuid)", syscall(SYS_getuid));
  CASE("stat", stat("/etc/passwd", &st));
  CASE("access", access("/etc/passwd", R_OK));
  CASE("readlink", readlink("/bin", b, sizeof b));
  CASE("getcwd", getcwd(b, sizeof b));
  CASE("open+close", { int f = open("/etc/passwd", O_RDONLY); close(f); });
  CASE("opendir+close", { int f = open("/etc", O_RDONLY | O_DIRECTORY); close(f); });
  CASE("creat+unlink", { close(open("/tmp/sx.f", O_CREAT | O_WRONLY, 0644)); unlink("/tmp/sx.f"); });
  CASE("mkdir+rmdir", { mkdir("/tmp/sx.m", 0755); rmdir("/tmp/sx.m"); });
  return 0;
}
"""


def ours(*command: str) -> list[str]:
    program = "from sekisho.cli.entry import main; main()"  # what the installed script does
    return [sys.executable, "-c", program, "sandbox", "do", "--", *command]


def static_true(folder: Path) -> Path | None:
    """A root with nothing in it but a ``true`` that needs nothing else."""
    root = folder / "root"
    (root / "bin").mkdir(parents=True)
    (folder / "true.c").write_text("int main(void) { return 0; }\n")
    command = ["gcc", "-static", "-O2", str(folder / "true.c"), "-o", str(root / "bin" / "true")]
    if shutil.which("gcc") is None or subprocess.run(command, check=False).returncode:
        return None
    return root


def runsc(*command: str) -> list[str]:
    return ["runsc", "--network=none", "--platform=ptrace", "do", *command]


def bwrap(*command: str) -> list[str]:
    return ["bwrap", "--ro-bind", "/", "/", "--unshare-all", *command]


def seconds(command: list[str], rounds: int = 1) -> float | None:
    """The shortest of some runs; None if it fails."""
    best = None
    for _ in range(rounds):
        start = time.perf_counter()
        run = subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, timeout=120, check=False)
        took = time.perf_counter() - start
        if run.returncode:
            return None
        best = took if best is None else min(best, took)
    return best


def ms(value: float | None) -> str:
    return "-" if value is None else f"{value * 1000:.1f}"


def runc_bundle(folder: Path) -> list[str] | None:
    """A bundle for runc with ``true`` in it."""
    root = static_true(folder)
    if shutil.which("runc") is None or root is None:
        return None
    subprocess.run(["runc", "spec"], cwd=folder, check=True)
    config = json.loads((folder / "config.json").read_text())
    config["process"].update(terminal=False, args=["/bin/true"])
    config["root"] = {"path": str(root), "readonly": True}
    (folder / "config.json").write_text(json.dumps(config))
    return ["runc", "run", "--bundle", str(folder), f"sekisho-bench-{os.getpid()}"]


def starts(folder: Path) -> None:
    candidates: dict[str, list[str] | None] = {
        "sekisho sandbox do": ours("/bin/true"),
        "runc run": runc_bundle(folder),
        "runsc do (ptrace)": runsc("/bin/true") if shutil.which("runsc") else None,
        "bwrap": ["bwrap", "--ro-bind", "/", "/", "--unshare-all", "/bin/true"]
        if shutil.which("bwrap")
        else None,
        "python -I -S -c pass": [sys.executable, "-I", "-S", "-c", "pass"],
    }
    print(f"start of `true`, ms, shortest of {ROUNDS}")
    for name, command in candidates.items():
        print(f"  {name:24}{ms(seconds(command, ROUNDS)) if command else 'not installed':>10}")


def memory() -> None:
    """What an idle sandbox holds: proportional set size of all its processes but the workload's."""
    run = subprocess.Popen(ours("/bin/sleep", "100"), stdin=subprocess.DEVNULL)
    try:
        time.sleep(0.7)
        (sentry,) = children(run.pid)
        (init,) = children(sentry)
        parts = {"maker": run.pid, "Sentry": sentry, "process 1": init}
        sizes = {name: pss(pid) for name, pid in parts.items()}
    finally:
        run.terminate()
        run.wait()
    print("\nidle, MB of PSS: " + ", ".join(f"{name} {size:.1f}" for name, size in sizes.items()), end="")
    print(f", together {sum(sizes.values()):.1f}")


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def pss(pid: int) -> float:
    rows = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(row.split()[1]) for row in rows if row.startswith("Pss:")) / 1024


def calls(folder: Path) -> None:
    if shutil.which("gcc") is None:
        print("\nsingle calls: gcc is not installed")
        return
    (folder / "calls.c").write_text(CALLS)
    subprocess.run(["gcc", "-O2", "calls.c", "-o", "calls"], cwd=folder, check=True)
    program = str(folder / "calls")
    columns = []
    for command in ([program], ours(program)):
        out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        columns.append({row.split("=")[0]: float(row.split("=")[1]) for row in out.splitlines()})
    print("\nsingle calls, us, tenth percentile  native  inside   ratio")
    for name, native in columns[0].items():
        inside = columns[1][name]
        print(f"  {name:32}{native:8.2f}{inside:8.2f}{inside / native:8.2f}")
    trip = columns[1]["notify round trip (getuid)"]
    print(f"  open+close is {columns[1]['open+close'] / trip:.2f} round trips")


def programs() -> None:
    start = seconds(ours("/bin/true"), 5) or 0
    have_runsc = shutil.which("runsc") is not None
    runsc_start = (seconds(runsc("/bin/true"), 3) or 0) if have_runsc else 0
    print("\nprograms, ms, the start of a sandbox taken off")
    print(
        f"{'':14}{'native':>9}{'inside':>9}{'ratio':>8}{'runsc':>10}{'ratio':>8}{'ours of its overhead':>22}"
    )
    for name, script in PROGRAMS.items():
        shell = ["/bin/sh", "-c", script]
        native = seconds(shell, 3)
        inside = seconds(ours(*shell), 3)
        if native is None or inside is None:
            print(f"{name:14}  failed")
            continue
        inside = max(inside - start, 0)
        row = f"{name:14}{native * 1000:9.0f}{inside * 1000:9.0f}{inside / native:8.2f}"
        other = seconds(runsc(*shell), 1) if have_runsc else None
        if other is not None:
            other = max(other - runsc_start, 0)
            share = (inside - native) / max(other - native, 1e-9)
            row += f"{other * 1000:10.0f}{other / native:8.2f}{share:22.2f}"
        print(row)


def main() -> int:
    if os.geteuid():
        print("needs root: runc and runsc are measured beside it")
        return 0
    os.environ.clear()
    os.environ.update(normal(), PYTHONPATH=str(Path(__file__).parents[1] / "src"))
    os.environ["PATH"] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    with tempfile.TemporaryDirectory(prefix="sekisho-bench-") as name:
        folder = Path(name)
        starts(folder)
        memory()
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
        calls(folder)
        programs()
    for left in ("sx.c", "sx.out", "sx.tar"):
        Path("/tmp", left).unlink(missing_ok=True)
    shutil.rmtree("/tmp/sx.d", ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
