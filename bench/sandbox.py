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

REDIS = """
cd /tmp && redis-server --port 6397 --save '' --daemonize no > /dev/null 2>&1 & server=$!
i=0; until redis-cli -p 6397 ping > /dev/null 2>&1 || [ $i -gt 50 ]; do sleep 0.1; i=$((i+1)); done
redis-benchmark -p 6397 -n 20000 -c 20 -q -t set,get > /dev/null 2>&1; status=$?
kill $server; wait $server; exit $status
"""

PROGRAMS = {
    "dd 4k": "dd if=/dev/zero of=/dev/null bs=4k count=131072 2>/dev/null",
    "redis loopback": REDIS,
    "CPU loop": "python3 -c 's=0\nfor i in range(6000000): s+=i'",
    "imports": "python3 -c 'import ssl,asyncio,json,http.server,unittest,sqlite3'",
    "gcc": "cd /tmp && printf '#include <stdio.h>\\nint main(){return 0;}' > sx.c && gcc -O2 sx.c -o sx.out",
    "tar": "cd /tmp && tar cf sx.tar /usr/lib/python3.11 2>&- ; mkdir -p sx.d && tar xf sx.tar -C sx.d",
    "find": "find /usr/lib -size +1M > /dev/null",
    "200 x true": "i=0; while [ $i -lt 200 ]; do /bin/true; i=$((i+1)); done",
}

WANTED = {
    "dd 4k": ("1.05", ""), "redis loopback": ("1.05", ""), "CPU loop": ("1.05", ""),
    "imports": ("2", "0.8"), "gcc": ("2.4", "0.8"), "tar": ("3", "0.2"), "find": ("3.2", "0.2"),
}  # fmt: skip
"""At most so many times native, and at most this part of what runsc (ptrace) adds."""

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
    (folder / "true.c").write_text(
        "#include <unistd.h>\nint main(int n, char **v) { while (n > 1) pause(); return 0; }\n"
    )
    command = ["gcc", "-static", "-O2", str(folder / "true.c"), "-o", str(root / "bin" / "true")]
    if shutil.which("gcc") is None or subprocess.run(command, check=False).returncode:
        return None
    return root


RUNSC = ["runsc", "--network=none", "--platform=ptrace"]


def runsc(*command: str) -> list[str]:
    return [*RUNSC, "do", *command]


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


def bundle(folder: Path, *args: str) -> Path | None:
    """A bundle with one static program in its root, ``true``; it runs ``args``."""
    folder.mkdir()
    root = static_true(folder)
    if shutil.which("runc") is None or root is None:
        return None
    subprocess.run(["runc", "spec"], cwd=folder, check=True)
    config = json.loads((folder / "config.json").read_text())
    config["process"].update(terminal=False, args=list(args))
    config["root"] = {"path": str(root), "readonly": True}
    (folder / "config.json").write_text(json.dumps(config))
    return folder


def quick(folder: Path) -> str:
    """The program that ``sekisho-runtime install --wrapper`` writes."""
    from sekisho.sandbox.oci_runtime.commands.install import starter

    path = folder / "sekisho-runtime-quick"
    path.write_text(starter(str(Path(sys.executable).resolve()), str(Path(__file__).parents[1] / "src")))
    path.chmod(0o755)
    return str(path)


def starts(folder: Path) -> None:
    given = bundle(folder / "true", "/bin/true")
    run = ["run", "--bundle", str(given), f"sekisho-bench-{os.getpid()}"]
    candidates: dict[str, list[str] | None] = {
        "sekisho-runtime run": [quick(folder), *run],
        "sekisho sandbox do": ours("/bin/true"),
        "runc run": ["runc", *run] if given else None,
        "runsc run (ptrace)": [*RUNSC, *run] if given and shutil.which("runsc") else None,
        "runsc do (ptrace)": runsc("/bin/true") if shutil.which("runsc") else None,
        "bwrap": bwrap("/bin/true") if shutil.which("bwrap") else None,
        "python -I -S -c pass": [sys.executable, "-I", "-S", "-c", "pass"],
    }
    wall, used = interleaved({name: command for name, command in candidates.items() if command}, ROUNDS)
    print(f"start of `true`, ms, shortest and middle of {ROUNDS} in turn, and processor time")
    for name, command in candidates.items():
        if not command:
            print(f"  {name:24}{'not installed':>10}")
            continue
        print(f"  {name:24}{wall[name][0]:8.1f}{wall[name][ROUNDS // 2]:8.1f}{used[name][0]:8.1f}")
    ours_ms = wall["sekisho-runtime run"][ROUNDS // 2]
    for name, wanted in (("runc run", "1"), ("runsc run (ptrace)", "0.2")):
        if name in wall:
            print(f"  of {name}: {ours_ms / wall[name][ROUNDS // 2]:.2f} (wanted: at most {wanted})")


def interleaved(
    commands: dict[str, list[str]], rounds: int
) -> tuple[dict[str, list[float]], dict[str, list[float]]]:
    """Milliseconds of each run and of the processor's work in it, in ascending order; one after the other in
    turn, so that what else the machine does meets all alike.
    """
    wall: dict[str, list[float]] = {name: [] for name in commands}
    used: dict[str, list[float]] = {name: [] for name in commands}
    quiet = [(os.POSIX_SPAWN_OPEN, fd, "/dev/null", os.O_RDWR, 0) for fd in (0, 1, 2)]
    for turn in range(rounds + 1):
        for name, command in commands.items():
            begin = time.perf_counter()
            pid = os.posix_spawnp(command[0], command, os.environ, file_actions=quiet)
            _, status, usage = os.wait4(pid, 0)
            took = time.perf_counter() - begin
            if status:
                raise SystemExit(f"{name} failed: {' '.join(command)}")
            if turn:  # the first one compiles modules and fills caches
                wall[name].append(took * 1000)
                used[name].append((usage.ru_utime + usage.ru_stime) * 1000)
    return {name: sorted(each) for name, each in wall.items()}, {k: sorted(each) for k, each in used.items()}


def memory(folder: Path) -> None:
    """What an idle sandbox holds: proportional set size of all its processes but the workload's."""
    run = subprocess.Popen(ours("/bin/sleep", "100"), stdin=subprocess.DEVNULL)
    try:
        time.sleep(1)
        (sentry,) = children(run.pid)
        (init,) = children(sentry)
        parts = {"maker": run.pid, "Sentry": sentry, "process 1": init}
        sizes = {name: pss(pid) for name, pid in parts.items()}
    finally:
        run.terminate()
        run.wait()
    print("\nidle, MB of PSS: " + ", ".join(f"{name} {size:.1f}" for name, size in sizes.items()), end="")
    print(f", together {sum(sizes.values()):.1f}")
    given = bundle(folder / "sleep", "/bin/true", "wait")
    if given is None:
        return
    for name, program in {"sekisho-runtime": [quick(folder)], "runsc (ptrace)": RUNSC}.items():
        if shutil.which(program[0]):
            print(f"  as a container, {name}: {container_pss(program, given):.1f}")


def container_pss(program: list[str], given: Path) -> float:
    """The same for a container that was started in the background, whose program is the static one."""
    id = f"sekisho-bench-{os.getpid()}"
    before = everybody()
    quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    subprocess.run([*program, "run", "--detach", "--bundle", str(given), id], check=True, **quiet)
    try:
        time.sleep(1)
        names = {pid: Path(f"/proc/{pid}/comm").read_text().strip() for pid in everybody() - before}
        return sum(pss(pid) for pid, name in names.items() if name.startswith(("sekisho", "runsc", "exe")))
    finally:
        subprocess.run([*program, "delete", "--force", id], check=False, **quiet)


def everybody() -> set[int]:
    return {int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()}


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
    native = figures([program])
    inside = figures(ours(program))
    tree = in_the_same_tree(program)
    print("\nsingle calls, us, tenth percentile  native  same tree   inside   ratio to the same tree")
    for name in native:
        three = f"{native[name]:8.2f}{tree[name]:10.2f}{inside[name]:9.2f}"
        print(f"  {name:32}{three}{inside[name] / tree[name]:8.2f}")
    trip = inside["notify round trip (getuid)"]
    print(f"  open+close is {inside['open+close'] / trip:.2f} round trips (wanted: at most 3)")
    worst = max(inside[name] / tree[name] for name in ("stat", "access", "readlink", "getcwd"))
    print(f"  stat, access, readlink, getcwd: at most {worst:.2f} of the same tree (wanted: at most 1.3)")


def figures(command: list[str]) -> dict[str, float]:
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return {row.split("=")[0]: float(row.split("=")[1]) for row in out.splitlines()}


def in_the_same_tree(program: str) -> dict[str, float]:
    """The same calls in a sandbox's mount tree, but without its filter: by a process that enters it."""
    run = subprocess.Popen(ours("/bin/sleep", "100"), stdin=subprocess.DEVNULL)
    try:
        time.sleep(1)
        (sentry,) = children(run.pid)
        (init,) = children(sentry)
        return figures(["nsenter", f"--target={init}", "--mount", program])
    finally:
        run.terminate()
        run.wait()


def runc_on_the_host(folder: Path, script: str) -> list[str] | None:
    """The same script under runc, on an overlay of this machine's root: in a mount namespace of its own."""
    if shutil.which("runc") is None:
        return None
    given = folder / "runc"
    for name in ("disk", "bundle"):
        (given / name).mkdir(parents=True, exist_ok=True)
    if not (given / "bundle/config.json").exists():
        subprocess.run(["runc", "spec"], cwd=given / "bundle", check=True)
    config = json.loads((given / "bundle/config.json").read_text())
    config["process"].update(terminal=False, args=["/bin/sh", "-c", script])
    config["process"]["env"] = [f"PATH={os.environ['PATH']}"]
    config["root"] = {"path": str(given / "disk/root"), "readonly": False}
    (given / "bundle/config.json").write_text(json.dumps(config))
    make = (
        f"mount -t tmpfs none {given}/disk && cd {given}/disk && mkdir upper work root && "
        "mount -t overlay none -o lowerdir=/,upperdir=upper,workdir=work root && "
        f"exec runc run --bundle {given}/bundle sekisho-bench-{os.getpid()}"
    )
    return ["unshare", "--mount", "sh", "-c", make]


def programs(folder: Path) -> None:
    start = seconds(ours("/bin/true"), 5) or 0
    bare = runc_on_the_host(folder, "true")
    runc_start = (seconds(bare, 3) or 0) if bare else 0
    have_runsc = shutil.which("runsc") is not None
    runsc_start = (seconds(runsc("/bin/true"), 3) or 0) if have_runsc else 0
    print("\nprograms, ms, the start of a sandbox taken off")
    print(
        f"{'':16}{'native':>9}{'inside':>9}{'ratio':>8}{'wanted':>8}{'runc':>8}{'runsc':>10}{'ratio':>8}"
        f"{'ours of its overhead':>22}{'wanted':>8}"
    )
    for name, script in PROGRAMS.items():
        shell = ["/bin/sh", "-c", script]
        native = seconds(shell, 3)
        inside = seconds(ours(*shell), 3)
        if native is None or inside is None:
            print(f"{name:16}  failed")
            continue
        inside = max(inside - start, 0)
        ratio, part = WANTED.get(name, ("", ""))
        row = f"{name:16}{native * 1000:9.0f}{inside * 1000:9.0f}{inside / native:8.2f}{ratio:>8}"
        peer = runc_on_the_host(folder, script)
        third = seconds(peer, 2) if peer else None
        row += f"{'-' if third is None else f'{max(third - runc_start, 0) / native:.2f}':>8}"
        other = seconds(runsc(*shell), 1) if have_runsc else None
        if other is not None:
            other = max(other - runsc_start, 0)
            share = (inside - native) / max(other - native, 1e-9)
            row += f"{other * 1000:10.0f}{other / native:8.2f}{share:22.2f}{part:>8}"
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
        memory(folder)
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
        calls(folder)
        programs(folder)
    for left in ("sx.c", "sx.out", "sx.tar"):
        Path("/tmp", left).unlink(missing_ok=True)
    shutil.rmtree("/tmp/sx.d", ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
