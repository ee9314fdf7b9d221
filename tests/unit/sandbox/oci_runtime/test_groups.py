"""Where a container's cgroup is, and what can be done without one."""

from __future__ import annotations

import pytest

from sekisho.sandbox.errors import SandboxError
from sekisho.sandbox.oci_runtime.groups import Group, resolve


@pytest.mark.parametrize(
    ("path", "systemd", "expected"),
    [
        ("", False, "sekisho/web"),
        ("/a/b", False, "a/b"),
        ("a//b/.", False, "a/b"),
        ("kubepods-pod1.slice:cri:web", False, "kubepods.slice/kubepods-pod1.slice/cri-web.scope"),
        ("", True, "system.slice/sekisho-web.scope"),
        ("-.slice:p:n", True, "p-n.scope"),
        ("user.slice::n", True, "user.slice/n.scope"),
    ],
)
def test_places(path: str, expected: str, *, systemd: bool) -> None:
    assert resolve(path, "web", systemd=systemd) == expected


@pytest.mark.parametrize("path", ["../x", "/a/../../b", "/", "."])
def test_paths_that_climb(path: str) -> None:
    with pytest.raises(SandboxError, match="SBX116"):
        resolve(path, "web")


def test_without_a_group() -> None:
    group = Group("")
    assert group.doors() == ()
    assert group.pids() == []
    assert not group.frozen()
    assert group.number("memory", "memory.usage_in_bytes", "memory.current") == 0
    with pytest.raises(SandboxError, match="SBX117"):
        group.freeze(frozen=True)
