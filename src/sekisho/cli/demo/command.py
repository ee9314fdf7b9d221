"""``sekisho demo``: a guided run on real input that ends by itself.

Every step is a command that a person could type, run in a copy of the examples and shown as it is. The exit
status is 0 when every step did what it is there to show.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from importlib import resources
from pathlib import Path

import click

from sekisho.cli.demo.model import Part
from sekisho.cli.demo.parts import PARTS


@click.command(epilog="Example: sekisho demo check")
@click.argument("part", required=False, type=click.Choice(list(PARTS)))
def command(part: str | None) -> int:
    """A guided run on real input: all parts, or one of them."""
    failed = 0
    for name in [part] if part else PARTS:
        failed += _run(PARTS[name])
    if failed:
        click.echo(f"{failed} steps did not do what they are there to show", err=True)
    return int(failed > 0)


def _run(part: Part) -> int:
    click.echo(f"\n=== {part.title} ===")
    if part.why_not is not None and (reason := part.why_not()):
        click.echo(f"Left out on this machine: {reason}")
        return 0
    failed = 0
    with tempfile.TemporaryDirectory(prefix="sekisho-demo-") as folder:
        examples = resources.files("sekisho").joinpath("examples", part.folder)
        with resources.as_file(examples) as source:
            shutil.copytree(source, folder, dirs_exist_ok=True)
        (Path(folder) / ".git").mkdir()  # settings of the place where the demo is started do not count
        if part.play is not None:
            failed += part.play(Path(folder))
        for step in part.steps:
            if step.before is not None:
                step.before(Path(folder))
            click.echo(f"\n{step.says}\n$ sekisho {' '.join(step.run)}")
            sys.stdout.flush()
            done = subprocess.run([sys.executable, "-m", "sekisho", *step.run], cwd=folder, check=False)  # noqa: S603
            click.echo(f"(exit status {done.returncode})")
            failed += done.returncode != step.status
    return failed
