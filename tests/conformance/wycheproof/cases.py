"""Wycheproof's files as cases: key, message, signature, verdict."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sekisho.images.signing.keys import BadKeyError, key_of
from sekisho.images.signing.verify import raw_to_der, verifies

FAMILIES: Final = {
    "EcdsaVerify": "ECDSA",
    "EcdsaP1363Verify": "ECDSA",
    "RsassaPssVerify": "RSA_PSS",
    "RsassaPkcs1Verify": "RSA_SIGN_PKCS1",
    "EddsaVerify": "ED25519",
    "MlDsaVerify": "ML_DSA_65",
}
CURVES: Final = {"secp256r1": "P256", "secp384r1": "P384", "secp521r1": "P521"}
SALT: Final = {"SHA-256": 32, "SHA-384": 48, "SHA-512": 64}


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One vector. ``strict`` is whether the group's salt is the one that signatures must have."""

    label: str
    algorithm: str
    curve: str
    der: bytes
    message: bytes
    signature: bytes
    context: bytes
    result: str
    strict: bool


def load_cases(folder: Path) -> Iterator[Case]:
    """The cases of every file that is about verifying signatures; others are passed over."""
    for file in sorted(folder.rglob("*.json")) if folder.is_dir() else [folder]:
        document = json.loads(file.read_text(encoding="utf-8"))
        for group in document.get("testGroups", ()):
            if group.get("type") in FAMILIES:
                yield from _cases(file.stem, group)


def _cases(file: str, group: dict[str, Any]) -> Iterator[Case]:
    algorithm = _algorithm(group)
    der = bytes.fromhex(group.get("publicKeyDer") or "")
    for test in group["tests"]:
        yield Case(
            label=f"{file}:{test['tcId']} {test['comment']}".rstrip(),
            algorithm=algorithm,
            curve=group["publicKey"]["curve"] if group["type"] == "EcdsaP1363Verify" else "",
            der=der,
            message=bytes.fromhex(test["msg"]),
            signature=bytes.fromhex(test["sig"]),
            context=bytes.fromhex(test.get("ctx") or ""),
            result=test["result"],
            strict=group.get("sLen") in (None, SALT.get(group.get("sha", ""))),
        )


def _algorithm(group: dict[str, Any]) -> str:
    """The name that a policy would give; it may be one that does not exist here."""
    family, digest = FAMILIES[group["type"]], str(group.get("sha", "")).replace("-", "")
    if family == "ECDSA":
        return f"ECDSA_{CURVES.get(group['publicKey']['curve'], '?')}_{digest}"
    if family == "RSA_PSS" and group.get("mgfSha") != group.get("sha"):
        return "RSA_PSS_?"
    if family.startswith("RSA"):
        bits = group.get("keySize") or group.get("keysize")
        return f"{family}_{bits}_{digest}"
    if family == "ED25519" and group["publicKey"].get("curve") != "edwards25519":
        return "?"
    if family.startswith("ML_DSA") and len(group["publicKey"]) != 2 * 1_952:
        return family if group["tests"][0]["result"] == "invalid" else "?"
    return family


def run_case(case: Case) -> str | None:
    """What is wrong, None if the verdict is right.

    A salt of another length than the digest's is refused by rule, and only the looser rule takes it; what is
    invalid for such a group may be valid for us. Signatures that are made for a context are for somebody
    else, so they are refused.
    """
    expected = case.result == "valid"
    try:
        key = key_of(case.der, algorithm=case.algorithm)
    except BadKeyError as error:
        return f"the key was refused: {error}" if expected else None
    signature = raw_to_der(case.signature, case.curve) if case.curve else case.signature
    strict = signature is not None and verifies(key, case.message, signature)
    if case.result == "acceptable":
        return None
    if case.context:
        return "verified for another context" if strict else None
    if not case.strict:
        loose = signature is not None and verifies(key, case.message, signature, any_salt=True)
        return f"strictly {strict}, with any salt {loose}" if expected and (strict or not loose) else None
    return None if strict == expected else f"expected {case.result}"
