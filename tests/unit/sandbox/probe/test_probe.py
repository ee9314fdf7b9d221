"""Emulated files have the kernel's form, agree with each other, and tell nothing of the host."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from sekisho.sandbox.probe import PROC, SYS, World, proc_file, process_file, sys_files
from sekisho.sandbox.probe.hosts import hosts, resolv_conf
from sekisho.sandbox.value import replace

PROCESSOR = Path("/proc/cpuinfo").read_text(encoding="utf-8").partition("\n\n")[0]
WORLD = World(
    cpus=3, memory=256 << 20, used=6 << 20, processor=PROCESSOR, age=12.5, busy=2.0, began=1e9, pids=100
)


def text(path: str, world: World = WORLD) -> str:
    made = proc_file(path, world)
    assert made is not None
    return made.decode()


@pytest.mark.parametrize("path", PROC)
def test_every_row_of_proc(path: str) -> None:
    made = proc_file(path, WORLD)
    assert made is not None
    assert made == b"" or made.endswith(b"\n")


@pytest.mark.parametrize("name", ["stat", "meminfo", "uptime", "loadavg", "vmstat", "swaps", "partitions"])
def test_the_form_is_the_kernels(name: str) -> None:
    def shape(content: str) -> set[str]:
        return {re.sub(r"\d+", "0", line.split()[0]) for line in content.splitlines() if line.split()}

    ours, kernels = shape(text(name)), shape(Path("/proc", name).read_text(encoding="utf-8"))
    if name == "uptime" or name == "loadavg":
        assert len(text(name).split()) == len(Path("/proc", name).read_text(encoding="utf-8").split())
    else:
        assert ours <= kernels


def test_processors_agree() -> None:
    files = sys_files(WORLD)
    assert text("cpuinfo").count("\nprocessor\t:") + 1 == 3
    assert text("cpuinfo").count("model name") == 3
    assert "siblings\t: 3" in text("cpuinfo")
    assert len(re.findall(r"^cpu\d+ ", text("stat"), re.MULTILINE)) == 3
    assert files["devices/system/cpu/online"] == b"0-2\n"
    assert sys_files(replace(WORLD, cpus=1))["devices/system/cpu/online"] == b"0\n"
    assert "devices/system/cpu/cpu2/online" in files


def test_processor_time_adds_up() -> None:
    busy, _, _, idle = map(int, text("stat").splitlines()[0].split()[1:5])
    assert (busy, busy + idle) == (200, 3 * 1250)
    assert text("uptime") == "12.50 35.50\n"


def test_memory_is_the_limit() -> None:
    rows = dict(line.split(":") for line in text("meminfo").splitlines())
    assert rows["MemTotal"].split() == [str(256 << 10), "kB"]
    assert rows["MemFree"].split() == [str(250 << 10), "kB"]


@pytest.mark.parametrize(
    ("world", "memory", "cpu", "pids"),
    [
        (WORLD, b"max\n", b"max 100000\n", b"max\n"),
        (
            replace(WORLD, memory_limited=True, cpu_quota=50_000, pids_limited=True),
            b"268435456\n",
            b"50000 100000\n",
            b"100\n",
        ),
    ],
)
def test_limits_show_as_cgroup_files(world: World, memory: bytes, cpu: bytes, pids: bytes) -> None:
    files = sys_files(world)
    found = [files[f"fs/cgroup/{name}"] for name in ("memory.max", "cpu.max", "pids.max")]
    assert found == [memory, cpu, pids]


def test_paths_of_sys_are_clean() -> None:
    assert all(
        os.path.normpath(path) == path and not path.startswith("/") for path in [*SYS, *sys_files(WORLD)]
    )


MOUNTINFO = (
    b"36 35 98:0 /host/images/base /mnt2 rw,noatime shared:12 master:1 - ext3 /dev/secret rw,errors=continue\n"
    b"40 36 0:30 / / rw - overlay /var/lib/x rw,lowerdir=/host/a:/host/b,upperdir=/host/up,workdir=/host/w,xino=on\n"
    b"41 36 0:31 / /tmp rw,nosuid - tmpfs tmpfs rw,size=1024k\n"
    b"broken line\n"
)


def test_mountinfo_names_nothing_of_the_host() -> None:
    made = process_file("mountinfo", MOUNTINFO, WORLD)
    assert made == (
        b"36 35 98:0 / /mnt2 rw,noatime shared:1 - ext3 ext3 rw,errors=continue\n"
        b"40 36 0:30 / / rw - overlay overlay rw,xino=on\n"
        b"41 36 0:31 / /tmp rw,nosuid - tmpfs tmpfs rw,size=1024k\n"
    )


def test_mounts_names_nothing_of_the_host() -> None:
    made = process_file(
        "mounts", b"/dev/sda1 / overlay rw,upperdir=/host/u 0 0\ntmpfs /tmp tmpfs rw 0 0\nodd\n", WORLD
    )
    assert made == b"overlay / overlay rw 0 0\ntmpfs /tmp tmpfs rw 0 0\n"


def test_mountstats_names_nothing_of_the_host() -> None:
    made = process_file("mountstats", b"device /dev/sda1 mounted on / with fstype ext4\n\tsecret: x\n", WORLD)
    assert made == b"device ext4 mounted on / with fstype ext4\n"


@pytest.mark.parametrize("name", ["mountinfo", "mounts", "mountstats"])
def test_the_kernels_own_files_keep_their_mounts(name: str) -> None:
    kernels = Path("/proc/self", name).read_bytes()
    made = process_file(name, kernels, WORLD)
    assert made is not None
    assert len(made.splitlines()) == len(
        [line for line in kernels.splitlines() if not line.startswith(b"\t")]
    )


def test_emulated_kinds_show_as_what_they_stand_for() -> None:
    line = b"41 36 0:31 / /sys rw - tmpfs sysfs rw\n42 36 0:32 / /dev/shm rw - tmpfs shm rw\n"
    made = process_file("mountinfo", line, WORLD)
    assert made == b"41 36 0:31 / /sys rw - sysfs sysfs rw\n42 36 0:32 / /dev/shm rw - tmpfs shm rw\n"
    assert (
        process_file("mounts", b"mqueue /dev/mqueue tmpfs rw 0 0\n", WORLD)
        == b"mqueue /dev/mqueue mqueue rw 0 0\n"
    )


def test_capabilities_are_shown() -> None:
    kernels = b"Name:\tx\nCapInh:\t0000000000000000\nCapPrm:\t0000000000000000\nSeccomp:\t2\n"
    made = process_file("status", kernels, replace(WORLD, capabilities=(0, 0x21, 0x21, 0x21, 0)))
    assert made == b"Name:\tx\nCapInh:\t0000000000000000\nCapPrm:\t0000000000000021\nSeccomp:\t2\n"


def test_a_process_is_at_the_root_of_its_cgroups() -> None:
    assert process_file("cgroup", b"12:cpu:/kubepods/pod1\n", WORLD) == b"0::/\n"
    assert process_file("maps", b"", WORLD) is None


def test_files_of_etc() -> None:
    assert hosts("box", names=[("10.0.0.1", "db")]).splitlines()[-2:] == ["127.0.1.1\tbox", "10.0.0.1\tdb"]
    assert (
        resolv_conf(["10.0.0.2"], ["a.b"], ["ndots:5"])
        == "nameserver 10.0.0.2\nsearch a.b\noptions ndots:5\n"
    )
    assert resolv_conf([]) == ""
