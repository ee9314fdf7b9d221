"""``sekisho images attest``: sign what an attestor attests of an image, and store it."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

if TYPE_CHECKING:
    from sekisho.images.signing.algorithms import Algorithm
    from sekisho.images.signing.sign import Sign

SECONDS: Final = 60.0
"""How long a signing program may take: a person may have to touch a token."""

PASSWORD: Final = "SEKISHO_KEY_PASSWORD"  # noqa: S105 - the name of a variable


@click.command(
    epilog="Example: sekisho images attest --attestor qa.yaml --key qa.pem --store evidence "
    "gcr.io/shop/cart@sha256:..."
)
@click.argument("image", metavar="IMAGE")
@click.option("--attestor", "attestor_file", required=True, metavar="FILE", help="The attestor that attests.")
@click.option("--key", "key_file", type=click.Path(exists=True, dir_okay=False), help="Private key in PEM.")
@click.option("--signer", metavar="COMMAND", help="Program that signs: payload in, signature out.")
@click.option("--store", required=True, type=click.Path(file_okay=False), help="Folder of attestations.")
def command(*, image: str, attestor_file: str, key_file: str | None, signer: str | None, store: str) -> int:
    """Attest an image: sign its payload with a key of the attestor, and store the attestation.

    The signature is verified with the attestor's keys before anything is written. The password of an
    encrypted key is read from the environment variable SEKISHO_KEY_PASSWORD.
    """
    from sekisho.cli.images.files import read_attestors
    from sekisho.cli.images.payload import digested
    from sekisho.images.evidence.simplesigning import google_payload
    from sekisho.images.google.occurrence import occurrence
    from sekisho.images.signing.keys import BadKeyError
    from sekisho.images.signing.sign import sign_for

    sign = chosen_sign(key_file, signer)
    reference = digested(image)
    attestors = list(read_attestors([attestor_file]).values())
    if len(attestors) != 1:
        raise click.UsageError(f"{attestor_file} has {len(attestors)} attestors, not one")
    payload = google_payload(reference.name, reference.digest)
    try:
        key, signature = sign_for(attestors[0].keys, payload, sign)
    except BadKeyError as error:
        raise click.UsageError(str(error)) from None
    row = occurrence(attestors[0].note, reference, payload, signature, key.id, now=datetime.now(UTC))
    print(_write(Path(store), row))
    return 0


def chosen_sign(key_file: str | None, signer: str | None) -> Sign:
    """Who signs: a key in a file, or a program. Raises UsageError where it is neither, or both."""
    from sekisho.diag import Secret
    from sekisho.images.signing.keys import BadKeyError
    from sekisho.images.signing.sign import private_key

    if (key_file is None) == (signer is None):
        raise click.UsageError("give --key or --signer")
    if key_file is not None:
        password = os.environ.get(PASSWORD)
        secret = Secret(password.encode()) if password else None
        try:
            return private_key(Path(key_file).read_bytes(), secret)
        except BadKeyError as error:
            raise click.UsageError(str(error)) from None
    words = shlex.split(signer or "")

    def run(payload: bytes, algorithm: Algorithm) -> bytes:
        return _run(words, payload, algorithm)

    return run


def _run(words: list[str], payload: bytes, algorithm: Algorithm) -> bytes:
    """What the signing program gives; it finds the algorithm in SEKISHO_ALGORITHM."""
    from sekisho.images.signing.sign import SIGNATURE

    environment = {**os.environ, "SEKISHO_ALGORITHM": algorithm.name}
    environment.pop(PASSWORD, None)
    try:
        done = subprocess.run(  # noqa: S603 - the command that the user gave
            words, input=payload, stdout=subprocess.PIPE, timeout=SECONDS, check=False, env=environment
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise click.UsageError(f"the signer {words[0]} cannot be run: {error}") from None
    if done.returncode:
        raise click.UsageError(f"the signer {words[0]} failed with status {done.returncode}")
    return done.stdout[:SIGNATURE]


def _write(store: Path, row: dict[str, object]) -> Path:
    """Store an attestation in a file of its own, whole or not at all."""
    store.mkdir(parents=True, exist_ok=True)
    file = store / f"{str(row['name']).rpartition('/')[2]}.json"
    part = file.with_suffix(".part")
    part.write_text(f"{json.dumps(row, indent=2)}\n", encoding="utf-8")
    part.replace(file)
    return file
