"""``sekisho images sign``: sign an image where it is, as cosign does."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import click

from sekisho.cli.images.places import SECONDS

if TYPE_CHECKING:
    from sekisho.diag import Deadline
    from sekisho.images.signing.keys import PublicKey
    from sekisho.images.signing.sign import Sign
    from sekisho.oci import Reference


@click.command(epilog="Example: sekisho images sign --key cosign.pem --public cosign.pub oci:build/cart:v1")
@click.argument("image", metavar="IMAGE")
@click.option("--key", "key_file", type=click.Path(exists=True, dir_okay=False), help="Private key in PEM.")
@click.option("--signer", metavar="COMMAND", help="Program that signs: payload in, signature out.")
@click.option(
    "--public",
    "public_file",
    type=click.Path(exists=True, dir_okay=False),
    help="Public key (PEM); needed with --signer.",
)
@click.option(
    "--bundle/--legacy", default=True, show_default=True, help="A bundle, or a signature under a tag."
)
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    default=SECONDS,
    show_default=True,
    metavar="SECONDS",
    help="How long the registry may be asked.",
)
def command(
    *,
    image: str,
    key_file: str | None,
    signer: str | None,
    public_file: str | None,
    bundle: bool,
    timeout: float,
) -> int:
    """Sign an image and put the signature beside it, so that cosign and `images verify` find it.

    IMAGE is a reference, or a layout in a folder (oci:FOLDER:TAG). What is signed is the digest that a tag
    names now, which is printed. The signature is verified before it is written. The password of an encrypted
    key is read from the environment variable SEKISHO_KEY_PASSWORD.
    """
    from sekisho.cli.images.attest import chosen_sign
    from sekisho.cli.images.verify import read_key
    from sekisho.images.signing.keys import BadKeyError, key_of
    from sekisho.images.signing.sign import PrivateKey

    sign = chosen_sign(key_file, signer)
    try:
        if public_file is not None:
            key = read_key(public_file)
        elif isinstance(sign, PrivateKey):
            key = key_of(sign.public_der())
        else:
            raise click.UsageError("--signer needs --public")
        print(asyncio.run(_sign(image, key, sign, timeout, bundle=bundle)))
    except BadKeyError as error:
        raise click.UsageError(str(error)) from None
    return 0


async def _sign(text: str, key: PublicKey, sign: Sign, seconds: float, *, bundle: bool) -> Reference:
    from sekisho.cli.images.places import opened
    from sekisho.diag import Deadline

    deadline = Deadline.after(seconds)
    async with opened(text, writing=True, deadline=deadline) as (place, reference):
        write = _bundle if bundle else _legacy
        await write(place, reference, (key, sign), deadline)
        return reference


async def _bundle(place: Any, image: Reference, by: tuple[PublicKey, Sign], deadline: Deadline) -> None:
    from sekisho.images import cosignature
    from sekisho.images.evidence.dsse import pae
    from sekisho.images.evidence.intoto import COSIGN_SIGN, PAYLOAD_TYPE
    from sekisho.images.signing.sign import sign_for

    said = cosignature.statement(image.digest)
    key, signature = sign_for(by[:1], pae(PAYLOAD_TYPE, said), by[1])
    body = cosignature.bundle(said, signature, key.der)
    subject = await place.manifest(image.digest, deadline=deadline)
    await place.put_blob(b"{}", cosignature.EMPTY, deadline=deadline)
    await place.put_blob(body, cosignature.BUNDLE, deadline=deadline)
    manifest = cosignature.referrer(body, subject.descriptor.raw(), COSIGN_SIGN)
    await place.put_manifest(manifest, cosignature.MANIFEST, deadline=deadline)


async def _legacy(place: Any, image: Reference, by: tuple[PublicKey, Sign], deadline: Deadline) -> None:
    """Add a layer to those that are there: others' signatures stay."""
    import orjson

    from sekisho.images import cosignature
    from sekisho.images.evidence.cosign import read_layers, signature_tag
    from sekisho.images.signing.sign import sign_for

    tag = signature_tag(image.digest)
    there = await place.manifest(tag, deadline=deadline)
    layers = []
    if there is not None:
        read_layers(there.body)  # what cannot be read is not written over
        layers = orjson.loads(there.body)["layers"]
    body = cosignature.payload(image.name, image.digest, {})
    _, signature = sign_for(by[:1], body, by[1])
    layers.append(cosignature.layer(body, signature))
    about = cosignature.config(layers)
    await place.put_blob(body, layers[-1]["mediaType"], deadline=deadline)
    await place.put_blob(about, cosignature.CONFIG, deadline=deadline)
    manifest = cosignature.manifest(layers, about)
    await place.put_manifest(manifest, cosignature.MANIFEST, deadline=deadline, tag=tag)
