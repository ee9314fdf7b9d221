"""How the sandbox says that it cannot do what it was asked to.

``sekisho.diag`` costs more to import than a sandbox to start, so failures travel as this exception, between
processes too, and become diagnostics where they leave the package.
"""

from __future__ import annotations

import errno

REFUSALS = frozenset((errno.EPERM, errno.ENOSYS, errno.ENOSPC, errno.EUSERS))
"""How kernels refuse namespaces and filters: forbidden, not there, or no more of them."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from sekisho.diag import DiagnosticError


class SandboxError(Exception):
    """An expected failure: ``code`` is an id of ``codes``, ``help`` what to do about it."""

    def __init__(self, code: str, message: str, help: str = "") -> None:
        self.code = code
        self.message = message
        self.help = help
        super().__init__(f"{code}: {message}")

    @classmethod
    def of(cls, error: Exception, doing: str) -> SandboxError:
        """Any exception, as one of ours: the kernel's refusal, or a bug."""
        if isinstance(error, SandboxError):
            return error
        if isinstance(error, OSError):
            where = f" ({error.filename})" if error.filename else ""
            code = "SBX001" if error.errno in REFUSALS else "SBX019"
            help = "run `sekisho sandbox doctor`: it tries each thing that a sandbox needs"
            return cls(code, f"{doing} failed: {error.strerror or error}{where}", help)
        trace = error.__traceback__
        while trace is not None and trace.tb_next is not None:
            trace = trace.tb_next
        place = f" at {trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else ""
        return cls("SBX099", f"{doing}: {type(error).__name__}: {error}{place}")

    def pack(self) -> bytes:
        """The error as a message for another process."""
        return f"{self.code}\0{self.message}\0{self.help}".encode("utf-8", "surrogateescape")

    @classmethod
    def unpack(cls, data: bytes) -> SandboxError:
        """The error from such a message."""
        return cls(*data.decode("utf-8", "surrogateescape").split("\0"))

    def diagnostic(self) -> DiagnosticError:
        """The same as the rest of sekisho tells it."""
        from sekisho.diag import Diagnostic, DiagnosticError
        from sekisho.sandbox.codes import BY_ID

        code = BY_ID[self.code]
        return DiagnosticError(Diagnostic(code=code, message=self.message, help=self.help))
