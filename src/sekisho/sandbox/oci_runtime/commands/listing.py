"""``list``: the containers below the root."""

from __future__ import annotations

from sekisho.sandbox.oci_runtime import store, text
from sekisho.sandbox.oci_runtime.options import usage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from sekisho.sandbox.oci_runtime.main import Context

COLUMNS = ("id", "pid", "status", "bundle", "created", "owner")


def command(context: Context) -> int:
    """A table, or JSON; with --quiet the ids alone."""
    form = context.call.text("format", "table")
    if form not in ("table", "json"):
        raise usage(f"--format is table or json, not {form}")
    rows = [store.state(context.store, record) for record in context.store.records()]
    if context.call.flag("quiet"):
        for row in rows:
            context.out(str(row["id"]))
    elif form == "json":
        context.out(text.write(rows))
    else:
        table = [[name.upper() for name in COLUMNS], *([str(row[name]) for name in COLUMNS] for row in rows)]
        widths = [max(len(line[column]) for line in table) for column in range(len(COLUMNS))]
        for line in table:
            context.out(
                "   ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
            )
    return 0
