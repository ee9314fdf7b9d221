"""Users, groups and capabilities.

The workload's processes are one user, whom the Sentry is too, and hold no capability; so an identity can be
set to itself, and to nothing else.
"""

from __future__ import annotations

import errno
from _struct import Struct

from sekisho.sandbox.sentry.call import Call, Errno, Result

ID = Struct("=I")
UNCHANGED = 0xFFFF_FFFF
CAPABILITY_HEADER = Struct("=Ii")
VERSIONS = {0x1998_0330: 1, 0x2007_1026: 2, 0x2008_0522: 2}
"""Versions of the capability interface, and how many words of each set they have."""
NEWEST_VERSION = 0x2008_0522
GROUPS_MOST = 65_536


def getuid(call: Call) -> Result:
    """getuid()."""
    return call.kernel.uid


def getgid(call: Call) -> Result:
    """getgid()."""
    return call.kernel.gid


geteuid, getegid = getuid, getgid


def _getres(call: Call, value: int) -> Result:
    for address in call.args[:3]:
        call.write(address, ID.pack(value))
    return 0


def getresuid(call: Call) -> Result:
    """getresuid(real, effective, saved)."""
    return _getres(call, call.kernel.uid)


def getresgid(call: Call) -> Result:
    """getresgid(real, effective, saved)."""
    return _getres(call, call.kernel.gid)


def getgroups(call: Call) -> Result:
    """getgroups(size, list)."""
    groups, size = call.kernel.groups, call.signed(0)
    if size < 0:
        raise Errno(errno.EINVAL)
    if size:
        if size < len(groups):
            raise Errno(errno.EINVAL)
        call.write(call.args[1], b"".join(map(ID.pack, groups)))
    return len(groups)


def _set(call: Call, own: int, count: int) -> Result:
    for value in call.args[:count]:
        if value & 0xFFFF_FFFF not in (own, UNCHANGED):
            raise Errno(errno.EPERM)
    return 0


def setuid(call: Call) -> Result:
    """setuid(uid)."""
    if call.args[0] & 0xFFFF_FFFF == UNCHANGED:
        raise Errno(errno.EINVAL)
    return _set(call, call.kernel.uid, 1)


def setgid(call: Call) -> Result:
    """setgid(gid)."""
    if call.args[0] & 0xFFFF_FFFF == UNCHANGED:
        raise Errno(errno.EINVAL)
    return _set(call, call.kernel.gid, 1)


def setreuid(call: Call) -> Result:
    """setreuid(real, effective)."""
    return _set(call, call.kernel.uid, 2)


def setregid(call: Call) -> Result:
    """setregid(real, effective)."""
    return _set(call, call.kernel.gid, 2)


def setresuid(call: Call) -> Result:
    """setresuid(real, effective, saved)."""
    return _set(call, call.kernel.uid, 3)


def setresgid(call: Call) -> Result:
    """setresgid(real, effective, saved)."""
    return _set(call, call.kernel.gid, 3)


def setfsuid(call: Call) -> Result:
    """setfsuid(uid): says what it was, and never fails."""
    return call.kernel.uid


def setfsgid(call: Call) -> Result:
    """setfsgid(gid): says what it was, and never fails."""
    return call.kernel.gid


def setgroups(call: Call) -> Result:
    """setgroups(size, list): only to what they are."""
    size = call.signed(0)
    if not 0 <= size <= GROUPS_MOST:
        raise Errno(errno.EINVAL)
    raw = call.read(call.args[1], size * ID.size)
    if {group for (group,) in ID.iter_unpack(raw)} != set(call.kernel.groups):
        raise Errno(errno.EPERM)
    return 0


def capget(call: Call) -> Result:
    """capget(header, data): no capability."""
    words = _capability_words(call)
    if call.args[1]:
        call.write(call.args[1], bytes(12 * words))
    return 0


def capset(call: Call) -> Result:
    """capset(header, data): only to what they are, which is none."""
    words = _capability_words(call)
    data = call.read(call.args[1], 12 * words)
    for word in range(words):
        if any(data[12 * word : 12 * word + 8]):
            raise Errno(errno.EPERM)
    return 0


def _capability_words(call: Call) -> int:
    version, _pid = CAPABILITY_HEADER.unpack(call.read(call.args[0], CAPABILITY_HEADER.size))
    if version in VERSIONS:
        return VERSIONS[version]
    call.write(call.args[0], ID.pack(NEWEST_VERSION))
    raise Errno(errno.EINVAL)
