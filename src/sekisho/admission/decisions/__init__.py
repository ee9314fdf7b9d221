"""The decision log: what was answered, line by line, so that a removed, changed or cut line shows."""

from sekisho.admission.decisions.chain import Chain, Head, record_of
from sekisho.admission.decisions.verify import Verified, verify
from sekisho.admission.decisions.writer import Fsync, Writer

__all__ = ["Chain", "Fsync", "Head", "Verified", "Writer", "record_of", "verify"]
