"""Writes the filters of ``sekisho.sandbox.filters`` from the table of system calls.

    python tools/make_filters.py

A test compares the files with the table.
"""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

from sekisho.sandbox.filters import name_of
from sekisho.sandbox.table import Option, Profile, filter, handlers
from sekisho.sandbox.table.connector import connector_filter
from sekisho.sandbox.table.supervisor import supervisor_filter

FOLDER = Path(__file__).parents[1] / "src" / "sekisho" / "sandbox" / "filters"


def files() -> dict[str, bytes]:
    """Every file, by name."""
    made = {"sentry.bpf": supervisor_filter(), "connector.bpf": connector_filter()}
    for profile in Profile:
        for count in range(len(Option) + 1):
            for chosen in combinations(Option, count):
                options = frozenset(chosen)
                name = name_of(profile.value, frozenset(option.value for option in options))
                made[f"{name}.bpf"] = filter(profile, options)
                rows = (f"{number} {handler}\n" for number, handler in handlers(profile, options).items())
                made[f"{name}.handlers"] = "".join(rows).encode("ascii")
    return made


def main() -> None:
    made = files()
    for file in [*FOLDER.glob("*.bpf"), *FOLDER.glob("*.handlers")]:
        if file.name not in made:
            file.unlink()
    for name, data in made.items():
        (FOLDER / name).write_bytes(data)


if __name__ == "__main__":
    main()
