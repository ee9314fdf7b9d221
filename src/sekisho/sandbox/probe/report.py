"""The page of the reference about emulated files."""

from __future__ import annotations

from sekisho.sandbox.probe.rows import FILTERED, PROC, SYS


def files_page(made: str) -> str:
    """The files, in Markdown; ``made`` says where the page comes from."""
    lines = [
        f"""# Files of the machine in the sandbox

What programs read about the machine shows the sandbox, not the host. Everything else of /proc is either a
process's own, or cannot be opened; /sys holds nothing but these files. {made}"""
    ]
    parts = (("/proc", PROC), ("/proc/<pid>", FILTERED), ("/sys", SYS))
    for title, rows in parts:
        lines += ["", f"## {title}", "", "| file | shows |", "| --- | --- |"]
        lines += [f"| `{path}` | {shows or 'the usual value'} |" for path, (_, shows) in rows.items()]
    return "\n".join(lines) + "\n"
