"""The scanner, the comparison of snapshots, and the preview of what enforcing would do."""

from sekisho.audit.compare import Change, Comparison, Difference, compare, denied
from sekisho.audit.model import EMPTY, Entry, Judged, Key, Ledger, Part, Snapshot, key_of
from sekisho.audit.preview import Preview, Standing, preview
from sekisho.audit.scan import Answer, Due, Pace, Work, scan
from sekisho.audit.summary import Count, summary
from sekisho.audit.world import World, digest, version_of

__all__ = [
    "EMPTY",
    "Answer",
    "Change",
    "Comparison",
    "Count",
    "Difference",
    "Due",
    "Entry",
    "Judged",
    "Key",
    "Ledger",
    "Pace",
    "Part",
    "Preview",
    "Snapshot",
    "Standing",
    "Work",
    "World",
    "compare",
    "denied",
    "digest",
    "key_of",
    "preview",
    "scan",
    "summary",
    "version_of",
]
