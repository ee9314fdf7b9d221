"""Sockets. The Sentry makes them and connects them; data on them is the kernel's own."""

from __future__ import annotations

from errno import EAFNOSUPPORT, EINVAL, ENOPROTOOPT
from typing import Final

from sekisho.sandbox.table.model import (
    PLAIN,
    Option,
    Row,
    Rule,
    Support,
    all_of,
    any_of,
    call,
    checked,
    notified,
    null,
    one_of,
    within,
)

_PEER: Final = "where it goes was decided when the Sentry connected the socket"

NEW_SOCKET: Final = {"SOCK_NONBLOCK": 0o4000, "SOCK_CLOEXEC": 0o2000000}

RECEIVE: Final = {
    "MSG_PEEK": 0x2,
    "MSG_CTRUNC": 0x8,
    "MSG_TRUNC": 0x20,
    "MSG_DONTWAIT": 0x40,
    "MSG_WAITALL": 0x100,
    "MSG_NOSIGNAL": 0x4000,
    "MSG_CMSG_CLOEXEC": 0x4000_0000,
}
"""Not MSG_OOB (CVE-2025-38236) and MSG_ERRQUEUE."""

SEND: Final = {
    "MSG_DONTWAIT": 0x40,
    "MSG_EOR": 0x80,
    "MSG_CONFIRM": 0x800,
    "MSG_NOSIGNAL": 0x4000,
    "MSG_MORE": 0x8000,
}
"""Not MSG_OOB, MSG_FASTOPEN, MSG_ZEROCOPY, MSG_DONTROUTE."""

SOCKET_SET: Final = {
    "SO_REUSEADDR": 2,
    "SO_DONTROUTE": 5,
    "SO_BROADCAST": 6,
    "SO_SNDBUF": 7,
    "SO_RCVBUF": 8,
    "SO_KEEPALIVE": 9,
    "SO_OOBINLINE": 10,
    "SO_NO_CHECK": 11,
    "SO_PRIORITY": 12,
    "SO_LINGER": 13,
    "SO_REUSEPORT": 15,
    "SO_PASSCRED": 16,
    "SO_RCVLOWAT": 18,
    "SO_RCVTIMEO": 20,
    "SO_SNDTIMEO": 21,
    "SO_TIMESTAMP": 29,
    "SO_RCVTIMEO_NEW": 66,
    "SO_SNDTIMEO_NEW": 67,
}
SOCKET_GET: Final = {
    **SOCKET_SET,
    "SO_TYPE": 3,
    "SO_ERROR": 4,
    "SO_PEERCRED": 17,
    "SO_ACCEPTCONN": 30,
    "SO_PROTOCOL": 38,
    "SO_DOMAIN": 39,
}
TCP_SET: Final = {
    "TCP_NODELAY": 1,
    "TCP_MAXSEG": 2,
    "TCP_CORK": 3,
    "TCP_KEEPIDLE": 4,
    "TCP_KEEPINTVL": 5,
    "TCP_KEEPCNT": 6,
    "TCP_SYNCNT": 7,
    "TCP_LINGER2": 8,
    "TCP_DEFER_ACCEPT": 9,
    "TCP_QUICKACK": 12,
    "TCP_USER_TIMEOUT": 18,
    "TCP_NOTSENT_LOWAT": 25,
}
"""Not TCP_ULP (CVE-2023-0461), TCP_REPAIR, TCP_MD5SIG, TCP_CONGESTION (loads modules), TCP_FASTOPEN."""
TCP_GET: Final = {**TCP_SET, "TCP_WINDOW_CLAMP": 10, "TCP_INFO": 11, "TCP_CONGESTION": 13}
IP_SET: Final = {
    "IP_TOS": 1,
    "IP_TTL": 2,
    "IP_PKTINFO": 8,
    "IP_MTU_DISCOVER": 10,
    "IP_RECVERR": 11,
    "IP_RECVTTL": 12,
    "IP_RECVTOS": 13,
    "IP_BIND_ADDRESS_NO_PORT": 24,
}
"""Not IPT_SO_SET_REPLACE (CVE-2021-22555), memberships, IP_OPTIONS."""
IP_GET: Final = {**IP_SET, "IP_MTU": 14}
IPV6_SET: Final = {
    "IPV6_UNICAST_HOPS": 16,
    "IPV6_MTU_DISCOVER": 23,
    "IPV6_RECVERR": 25,
    "IPV6_V6ONLY": 26,
    "IPV6_RECVPKTINFO": 49,
    "IPV6_RECVHOPLIMIT": 51,
    "IPV6_RECVTCLASS": 66,
    "IPV6_TCLASS": 67,
}
IPV6_GET: Final = {**IPV6_SET, "IPV6_MTU": 24}


def _options(socket: dict[str, int], tcp: dict[str, int], ip: dict[str, int], ipv6: dict[str, int]) -> Rule:
    levels = ({"SOL_SOCKET": 1}, {"IPPROTO_TCP": 6}, {"IPPROTO_IP": 0}, {"IPPROTO_IPV6": 41})
    return any_of(
        *(
            all_of(one_of(1, "level", level), one_of(2, "option", names))
            for level, names in zip(levels, (socket, tcp, ip, ipv6), strict=True)
        )
    )


_PAIR: Final = all_of(
    one_of(0, "family", {"AF_UNIX": 1}),
    one_of(1, "type", {"SOCK_STREAM": 1, "SOCK_DGRAM": 2, "SOCK_SEQPACKET": 5}, ignoring=NEW_SOCKET),
    one_of(2, "protocol", {"0": 0, "PF_UNIX": 1}),
)

ROWS: Final[tuple[Row, ...]] = (
    call(
        41,
        "socket",
        notified("network.socket"),
        "families UNIX, INET and INET6 only; NETLINK is answered by the Sentry",
        note="raw, packet, vsock, netlink (but routes), crypto and all other families fail with EAFNOSUPPORT",
        support=Support.PARTIAL,
    ),
    call(
        42, "connect", notified("network.connect"), "the Sentry connects, to an address that it copied once"
    ),
    call(43, "accept", PLAIN, "from a listener that the Sentry bound"),
    call(
        44,
        "sendto",
        checked(
            all_of(null(4, "address"), within(3, "flags", SEND)),
            handler="network.sendto",
        ),
        _PEER,
    ),
    call(
        45,
        "recvfrom",
        checked(within(3, "flags", RECEIVE), errno=EINVAL),
        "no out-of-band data, no error queue",
    ),
    call(
        46,
        "sendmsg",
        notified("network.sendmsg"),
        "the address lies in memory, where no filter reads",
    ).under(Option.SEALED_NETWORK, checked(within(2, "flags", SEND), errno=EINVAL)),
    call(
        47,
        "recvmsg",
        checked(within(2, "flags", RECEIVE), errno=EINVAL),
        "no out-of-band data, no error queue",
    ),
    call(48, "shutdown", PLAIN, "an injected socket"),
    call(49, "bind", notified("network.bind"), "the Sentry binds, to an address that it copied once"),
    call(50, "listen", notified("network.listen"), "inbound ports are rules of the sandbox"),
    call(
        51,
        "getsockname",
        notified("network.getsockname"),
        "the Sentry answers for netlink, whose sockets are its own",
    ),
    call(52, "getpeername", PLAIN, "an injected socket"),
    call(
        53,
        "socketpair",
        checked(_PAIR, errno=EAFNOSUPPORT),
        "two ends of the workload's own; made by the Sentry they would carry its credentials",
    ),
    call(
        54,
        "setsockopt",
        checked(_options(SOCKET_SET, TCP_SET, IP_SET, IPV6_SET), errno=ENOPROTOOPT),
        "a list of plain options; none that loads code, filters or upper-layer protocols",
        support=Support.PARTIAL,
    ),
    call(
        55,
        "getsockopt",
        checked(_options(SOCKET_GET, TCP_GET, IP_GET, IPV6_GET), errno=ENOPROTOOPT),
        "a list of plain options",
        support=Support.PARTIAL,
    ),
    call(
        288,
        "accept4",
        checked(within(3, "flags", NEW_SOCKET), errno=EINVAL),
        "from a listener that the Sentry bound",
    ),
    call(
        299,
        "recvmmsg",
        checked(within(3, "flags", {**RECEIVE, "MSG_WAITFORONE": 0x1_0000}), errno=EINVAL),
        "as recvmsg, several times",
    ),
    call(
        307,
        "sendmmsg",
        notified("network.sendmmsg"),
        "the addresses lie in memory, where no filter reads",
    ).under(Option.SEALED_NETWORK, checked(within(3, "flags", SEND), errno=EINVAL)),
)
