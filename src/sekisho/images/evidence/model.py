"""What was found about an image, before anybody believes it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """A signature, and the key that it says it is by: a hint, perhaps empty."""

    value: bytes = field(repr=False)
    key_id: str = ""


class Form(Enum):
    """What the signatures of an attestation are over."""

    PLAIN = "plain"
    """The payload as it is."""
    PGP = "pgp"
    """An OpenPGP message that holds the payload, or is detached from it."""
    MANIFEST = "manifest"
    """The image's manifest: what is signed is the image, and says nothing else."""
    DSSE = "dsse"
    """The pre-authentication encoding of type and payload."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attestation:
    """A statement and its signatures, as stored. ``where`` is how explanations name it."""

    where: str
    payload: bytes = field(repr=False)
    signatures: tuple[Signature, ...]
    form: Form = Form.PLAIN
    payload_type: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unanswered:
    """Evidence that could not be asked for: not the same as none."""

    reason: str


Found = tuple[Attestation, ...] | Unanswered
"""What a place holds about an image, or why that is not known."""
