"""``sekisho sandbox bundle``: an image as a bundle that a runtime runs."""

from __future__ import annotations

import asyncio
import json
import platform
import shutil
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

if TYPE_CHECKING:
    from sekisho.oci.imageconfig import ImageConfig
    from sekisho.oci.places import Place

SECONDS: Final = 600.0
"""How long fetching and unpacking may take: images have some gigabytes."""

PATH: Final = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""Where programs are looked for in an image that does not say: Docker's default."""

MACHINES: Final = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm", "riscv64": "riscv64"}
"""Go's names of architectures by the kernel's."""


@click.command(
    epilog="Example: sekisho sandbox bundle oci:image:v1 bundle && sudo sekisho sandbox run -b bundle c1"
)
@click.argument("image", metavar="IMAGE")
@click.argument("folder", metavar="FOLDER")
@click.argument("arguments", metavar="[ARGUMENT...]", nargs=-1)
@click.option("--platform", "wanted", metavar="OS/ARCH", help="Platform; this machine's without it.")
@click.option("--owners", is_flag=True, help="Keep owners and set-user-id bits; needs root.")
@click.option(
    "-o", "--output", type=click.Choice(["text", "json"]), default="text", help="Form of the output."
)
def command(
    *, image: str, folder: str, arguments: tuple[str, ...], wanted: str | None, owners: bool, output: str
) -> int:
    """Unpack IMAGE into FOLDER/rootfs and write FOLDER/config.json, which says what runs in it.

    IMAGE is a reference, or oci:FOLDER[:TAG], oci-archive:FILE, docker-archive:FILE. The ARGUMENTs stand in
    place of the image's own. Digests are computed anew, and nothing is written outside of FOLDER.
    """
    target = Path(folder)
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise click.UsageError(f"{folder} is there already, and not empty")
    target.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=".bundle-", dir=target.parent))
    try:
        told = asyncio.run(_bundle(image, work, wanted or _here(), arguments, owners=owners))
        work.chmod(0o755)
        work.replace(target)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    if output == "json":
        click.echo(json.dumps({"bundle": folder, **told}, indent=2))
    else:
        click.echo(
            f"{folder}: {told['files']} files of {told['digest']}; runs {' '.join(told['args']) or 'nothing'}"
        )
        for name in told["leftOut"]:
            click.echo(f"left out: {name}", err=True)
    return 0


def _here() -> str:
    return f"linux/{MACHINES.get(platform.machine(), platform.machine())}"


async def _bundle(
    text: str, folder: Path, wanted: str, arguments: tuple[str, ...], *, owners: bool
) -> dict[str, Any]:
    """Make the bundle; what is told of it. Raises DiagnosticError (OCI…)."""
    from sekisho.diag import Deadline
    from sekisho.oci.content import Platform
    from sekisho.oci.imageconfig import read_config
    from sekisho.oci.source import BLOB, image
    from sekisho.oci.unpack import Options, unpack

    deadline = Deadline.after(SECONDS)
    try:
        chosen = Platform.of(wanted)
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    async with AsyncExitStack() as stack:
        place = await _place(text, stack)
        content, manifest = await image(place.source, place.which, chosen, deadline=deadline)
        found = await unpack(
            place.source, manifest, folder / "rootfs", deadline=deadline, options=Options(owners=owners)
        )
        body = await place.source.blob(manifest.config, deadline=deadline, limit=BLOB)
    config = read_config(body or b"{}")
    value = _config(config, folder / "rootfs", arguments)
    (folder / "config.json").write_text(json.dumps(value, indent=4) + "\n", encoding="utf-8")
    args = value["process"]["args"]
    return {"digest": content.digest, "files": found.files, "args": args, "leftOut": found.left_out}


async def _place(text: str, stack: AsyncExitStack) -> Place:
    from sekisho.oci.asking import Options, Registries
    from sekisho.oci.credentials import Files
    from sekisho.oci.places import is_local, open_local, open_place

    if is_local(text):
        return open_local(text)
    registries = await stack.enter_async_context(Registries(Options(keychain=Files())))
    return open_place(text, registries)


def _config(config: ImageConfig, rootfs: Path, arguments: tuple[str, ...]) -> dict[str, Any]:
    """The runtime's configuration: its template, with what the image says."""
    from sekisho.oci.imageconfig import ACCOUNTS, user_of
    from sekisho.oci.rootfs import Root
    from sekisho.sandbox.oci_runtime.commands.spec import template

    with Root(rootfs) as root:
        passwd, group = (root.read(("etc", name), ACCOUNTS.value) for name in ("passwd", "group"))
    user = user_of(config.user, passwd, group)
    value: dict[str, Any] = template(config.folder)
    process = value["process"]
    process["terminal"] = False
    process["args"] = list(config.arguments(arguments))
    process["env"] = list(config.environment)
    if not any(row.startswith("PATH=") for row in config.environment):
        process["env"].insert(0, PATH)
    process["user"] = {"uid": user.uid, "gid": user.gid}
    if user.groups:
        process["user"]["additionalGids"] = list(user.groups)
    return value
