"""The policy library: templates, sample constraints and bundles that come with this package."""

from sekisho.policy.library.bundle import Bundle, Member, at_rung, bundle, bundle_names, bundle_objects
from sekisho.policy.library.entry import Entry, entry, entry_names

__all__ = [
    "Bundle",
    "Entry",
    "Member",
    "at_rung",
    "bundle",
    "bundle_names",
    "bundle_objects",
    "entry",
    "entry_names",
]
