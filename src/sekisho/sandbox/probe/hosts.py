"""The files of /etc that a sandbox must have of its own."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


def hosts(hostname: str, address: str = "127.0.1.1", names: Iterable[tuple[str, str]] = ()) -> str:
    """/etc/hosts: loopback, the sandbox's own name, and (address, name) pairs."""
    lines = [
        "127.0.0.1\tlocalhost",
        "::1\tlocalhost ip6-localhost ip6-loopback",
        f"{address}\t{hostname}",
        *(f"{where}\t{name}" for where, name in names),
    ]
    return "\n".join(lines) + "\n"


def resolv_conf(nameservers: Iterable[str], search: Iterable[str] = (), options: Iterable[str] = ()) -> str:
    """/etc/resolv.conf; without nameservers it is empty, and lookups fail at once."""
    lines = [f"nameserver {server}" for server in nameservers]
    if domains := list(search):
        lines.append(f"search {' '.join(domains)}")
    if chosen := list(options):
        lines.append(f"options {' '.join(chosen)}")
    return "".join(f"{line}\n" for line in lines)
