"""The table of system calls as data, and the filters made from it."""

from sekisho.sandbox.table.model import Klass, Option, Profile, Row, Rule, Support, Treatment
from sekisho.sandbox.table.table import by_name, filter, handlers, table

__all__ = [
    "Klass",
    "Option",
    "Profile",
    "Row",
    "Rule",
    "Support",
    "Treatment",
    "by_name",
    "filter",
    "handlers",
    "table",
]
