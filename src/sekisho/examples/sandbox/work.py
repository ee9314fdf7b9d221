"""Some work, timed. ``work.py native.txt`` writes down how long it took; run inside, it compares."""

import os
import subprocess
import sys
import time
from collections.abc import Callable


def compute() -> object:
    return sum(range(3_000_000))


def copy_data() -> None:
    with open("/dev/zero", "rb") as source, open("/dev/null", "wb") as target:
        for _ in range(20_000):
            target.write(source.read(4096))


def open_files() -> None:
    for _ in range(2_000):
        with open("/etc/passwd", "rb"):
            pass


def look_at_files() -> None:
    for _ in range(20_000):
        os.stat("/etc/passwd")


def run_programs() -> None:
    for _ in range(40):
        subprocess.run(["true"], check=True)


times = {}
JOBS: list[Callable[[], object]] = [compute, copy_data, open_files, look_at_files, run_programs]
for job in JOBS:
    best = 9e9
    for _ in range(3):
        start = time.perf_counter()
        job()
        best = min(best, time.perf_counter() - start)
    times[job.__name__] = best
if not os.path.exists(sys.argv[1]):
    with open(sys.argv[1], "w") as file:
        file.writelines(f"{name} {seconds}\n" for name, seconds in times.items())
else:
    with open(sys.argv[1]) as file:
        native = {name: float(seconds) for name, seconds in map(str.split, file)}
    for name, seconds in times.items():
        ratio = seconds / native[name]
        print(f"{name.replace('_', ' '):16} {seconds * 1000:7.1f} ms, {ratio:5.2f} times native")
