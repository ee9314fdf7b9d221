"""The objects of the API server: in memory for reading, in one SQLite file for keeping."""

from sekisho.apiserver.store.database import unusable
from sekisho.apiserver.store.hub import EVERYTHING, Hub, TooOld, Watcher
from sekisho.apiserver.store.model import About, Event, Op, Place, Row
from sekisho.apiserver.store.store import Broken, Stale, Store

__all__ = [
    "EVERYTHING",
    "About",
    "Broken",
    "Event",
    "Hub",
    "Op",
    "Place",
    "Row",
    "Stale",
    "Store",
    "TooOld",
    "Watcher",
    "unusable",
]
