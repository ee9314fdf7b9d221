"""The part of ``ctypes`` that a start needs.

The package ``ctypes`` makes thirty types, a handle on Python's own interface and an executable page when it
is imported, which takes a third of what an interpreter takes to start. This takes what is used here from
the module in C below it, under the names that the package has for it.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ctypes import (
        Structure,
        addressof,
        c_char,
        c_char_p,
        c_int,
        c_long,
        c_size_t,
        c_ssize_t,
        c_uint,
        c_uint64,
        c_ulong,
        c_ushort,
        c_void_p,
        create_string_buffer,
        get_errno,
    )
    from ctypes import _NamedFuncPointer as Function

    def function(name: str) -> Function:
        """A function of the C library, which keeps the errno of its last call; it returns an int."""
else:
    from _ctypes import (
        FUNCFLAG_CDECL,
        FUNCFLAG_USE_ERRNO,
        CFuncPtr,
        Structure,
        _SimpleCData,
        addressof,
        dlopen,
        get_errno,
    )

    def _simple(code):
        """A type by its letter, as ``struct`` has them; ``z`` is a pointer to bytes, ``P`` to anything."""
        return type(_SimpleCData)(f"c_{code}", (_SimpleCData,), {"_type_": code})

    c_char, c_char_p, c_void_p = _simple("c"), _simple("z"), _simple("P")
    c_ushort, c_int, c_uint, c_long, c_ulong = map(_simple, "HiIlL")
    # On the machines that this runs on, these are the same.
    c_size_t, c_ssize_t, c_uint64 = c_ulong, c_long, c_ulong

    class Function(CFuncPtr):
        """A function that may wait: the interpreter's lock is released while it is called."""

        _flags_ = FUNCFLAG_CDECL | FUNCFLAG_USE_ERRNO
        _restype_ = c_int

    class _Library:
        _handle = dlopen(None, 0)

    def function(name):
        """A function of the C library, which keeps the errno of its last call; it returns an int."""
        return Function((name, _Library))

    def create_string_buffer(init, size=None):
        """A buffer that begins with these bytes, or with NULs if a number is given."""
        if isinstance(init, int):
            return (c_char * init)()
        buffer = (c_char * (len(init) + 1 if size is None else size))()
        buffer.value = init
        return buffer


__all__ = [
    "Function",
    "Structure",
    "addressof",
    "c_char",
    "c_char_p",
    "c_int",
    "c_long",
    "c_size_t",
    "c_ssize_t",
    "c_uint",
    "c_uint64",
    "c_ulong",
    "c_ushort",
    "c_void_p",
    "create_string_buffer",
    "function",
    "get_errno",
]
