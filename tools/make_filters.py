"""Writes the filters of ``sekisho.sandbox.filters`` from the table of system calls.

    python tools/make_filters.py

A test compares the files with the table.
"""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

from sekisho.sandbox.filters import name_of
from sekisho.sandbox.table import Klass, Option, Profile, filter, handlers, table
from sekisho.sandbox.table.connector import connector_filter
from sekisho.sandbox.table.supervisor import supervisor_filter

FOLDER = Path(__file__).parents[1] / "src" / "sekisho" / "sandbox" / "filters"


def files() -> dict[str, bytes]:
    """Every file, by name."""
    made = {"sentry.bpf": supervisor_filter(), "connector.bpf": connector_filter()}
    names = (f"{number} {row.name}\n" for number, row in table().items())
    made["calls.names"] = "".join(names).encode("ascii")
    for profile in Profile:
        for count in range(len(Option) + 1):
            for chosen in combinations(Option, count):
                options = frozenset(chosen)
                name = name_of(profile.value, frozenset(option.value for option in options))
                made[f"{name}.bpf"] = filter(profile, options)
                rows = (f"{number} {handler}\n" for number, handler in handlers(profile, options).items())
                denials = {
                    number: row.treatment(profile, options).errno
                    for number, row in table().items()
                    if not row.treatment(profile, options).handler
                    and row.treatment(profile, options).klass is not Klass.PLAIN
                }
                made[f"{name}.denials"] = "".join(f"{n} {e}\n" for n, e in denials.items()).encode("ascii")
                made[f"{name}.handlers"] = "".join(rows).encode("ascii")
    return made


def main() -> None:
    made = files()
    for file in [
        path for kind in ("bpf", "handlers", "denials", "names") for path in FOLDER.glob(f"*.{kind}")
    ]:
        if file.name not in made:
            file.unlink()
    for name, data in made.items():
        (FOLDER / name).write_bytes(data)


if __name__ == "__main__":
    main()
