"""Tokens of service accounts: signed claims, given out by TokenRequest and known again.

Steps of knowing one: the form; the algorithm, which is ours and no other; the signature; the issuer; the
times; the audience; the service account that it names is there, under the same uid; so is the object that it
is bound to.
"""

from __future__ import annotations

import base64
import binascii
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson

from sekisho.apiserver.authorize import SERVICE_ACCOUNT
from sekisho.apiserver.names import new_uid
from sekisho.apiserver.store import Place, Row
from sekisho.diag import Secret
from sekisho.kube.review import UserInfo

ISSUER: Final = "https://kubernetes.default.svc.cluster.local"
ALGORITHM: Final = "ES256"
HALF: Final = 32
"""Bytes of each of the two numbers of a signature (RFC 7518, 3.4)."""

MAX_TOKEN: Final = 16_384
"""Letters of a token: no claims of ours are a tenth of that long, and nobody else's are read."""

MIN_SECONDS: Final = 600
MAX_SECONDS: Final = 2**32
DEFAULT_SECONDS: Final = 3_600
"""How long a token may be good for, and is by default (validation of TokenRequest)."""

BOUND: Final = {("v1", "Pod"): ("", "pods"), ("v1", "Secret"): ("", "secrets"), ("v1", "Node"): ("", "nodes")}
"""What a token may be bound to: it is good only while that is there."""

CLAIM: Final = "kubernetes.io"
EXTRA: Final = "authentication.kubernetes.io/"

Get = Callable[[Place], Row | None]


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """A token, and when it ends, in seconds since 1970."""

    token: str
    ends: int


class ServiceAccountTokens:
    """Gives out and knows the tokens of service accounts. ``get`` reads objects; ``key`` is PEM."""

    def __init__(self, key: Secret[str], get: Get) -> None:
        from cryptography.hazmat.primitives.serialization import load_pem_private_key

        self._key: Any = load_pem_private_key(key.reveal().encode(), password=None)
        self._get = get

    def issue(
        self,
        account: Row,
        *,
        audiences: Sequence[str] = (),
        seconds: int = DEFAULT_SECONDS,
        bound: Row | None = None,
    ) -> Issued:
        """A token for a service account, bound to it and perhaps to another object."""
        now = int(time.time())
        private: dict[str, Any] = {
            "namespace": account.place.namespace,
            "serviceaccount": {"name": account.place.name, "uid": account.uid},
        }
        if bound is not None:
            private[bound.place.plural[:-1]] = {"name": bound.place.name, "uid": bound.uid}
        claims = {
            "aud": list(audiences) or [ISSUER],
            "exp": now + seconds,
            "iat": now,
            "iss": ISSUER,
            "jti": new_uid(),
            CLAIM: private,
            "nbf": now,
            "sub": f"{SERVICE_ACCOUNT}{account.place.namespace}:{account.place.name}",
        }
        head = _encode(orjson.dumps({"alg": ALGORITHM, "typ": "JWT"}))
        signed = f"{head}.{_encode(orjson.dumps(claims))}"
        return Issued(token=f"{signed}.{_encode(self._sign(signed.encode()))}", ends=now + seconds)

    def _sign(self, data: bytes) -> bytes:
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import ec, utils

        r, s = utils.decode_dss_signature(self._key.sign(data, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(HALF, "big") + s.to_bytes(HALF, "big")

    def _signed(self, data: bytes, signature: bytes) -> bool:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import ec, utils

        if len(signature) != 2 * HALF:
            return False
        r, s = (int.from_bytes(part, "big") for part in (signature[:HALF], signature[HALF:]))
        try:
            self._key.public_key().verify(utils.encode_dss_signature(r, s), data, ec.ECDSA(hashes.SHA256()))
        except InvalidSignature:
            return False
        return True

    def __call__(self, token: str) -> UserInfo | None:
        """Whose a token is that is meant for this server."""
        return self.whose(token, (ISSUER,))

    def whose(self, token: str, audiences: Sequence[str]) -> UserInfo | None:
        """Whose a token is that is meant for one of ``audiences``; None for one that does not count."""
        claims = self._claims(token)
        if claims is None or claims.get("iss") != ISSUER:
            return None
        now, ends, begins = time.time(), claims.get("exp"), claims.get("nbf")
        if not isinstance(ends, int) or not isinstance(begins, int) or not begins - 1 <= now < ends:
            return None
        meant = claims.get("aud")
        if not isinstance(meant, list) or not set(map(str, meant)) & set(audiences):
            return None
        private = claims.get(CLAIM)
        return self._user(private, str(claims.get("jti", ""))) if isinstance(private, dict) else None

    def _claims(self, token: str) -> Mapping[str, Any] | None:
        parts = token.split(".")
        if len(parts) != 3 or len(token) > MAX_TOKEN:
            return None
        try:
            head, claims = orjson.loads(_decode(parts[0])), orjson.loads(_decode(parts[1]))
            signature = _decode(parts[2])
        except (ValueError, binascii.Error):
            return None
        if not isinstance(head, dict) or head.get("alg") != ALGORITHM or not isinstance(claims, dict):
            return None
        return claims if self._signed(f"{parts[0]}.{parts[1]}".encode(), signature) else None

    def _user(self, private: Mapping[str, Any], identity: str) -> UserInfo | None:
        namespace, account = str(private.get("namespace", "")), private.get("serviceaccount")
        row = self._there(Place("", "serviceaccounts", namespace, ""), account)
        if row is None:
            return None
        extra = {f"{EXTRA}credential-id": (f"JTI={identity}",)}
        for group, plural in BOUND.values():
            kind = plural[:-1]
            if kind in private:
                where = "" if plural == "nodes" else namespace
                bound = self._there(Place(group, plural, where, ""), private[kind])
                if bound is None:
                    return None
                if plural != "secrets":
                    extra[f"{EXTRA}{kind}-name"] = (bound.place.name,)
                    extra[f"{EXTRA}{kind}-uid"] = (bound.uid,)
        return UserInfo(
            username=f"{SERVICE_ACCOUNT}{namespace}:{row.place.name}",
            uid=row.uid,
            groups=("system:serviceaccounts", f"system:serviceaccounts:{namespace}"),
            extra=extra,
        )

    def _there(self, place: Place, reference: Any) -> Row | None:
        """The object that a claim names, if it is still that one."""
        if not isinstance(reference, Mapping):
            return None
        row = self._get(place._replace(name=str(reference.get("name", ""))))
        return row if row is not None and row.uid == reference.get("uid") else None


def key_of(file: Path) -> Secret[str]:
    """The signing key of a file, made anew where there is none. Raises OSError."""
    from cryptography.hazmat.primitives import serialization as form
    from cryptography.hazmat.primitives.asymmetric import ec

    from sekisho.apiserver.files import private_file

    if file.exists():
        return Secret(file.read_text(encoding="ascii"))
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption()).decode()
    private_file(file, pem)
    return Secret(pem)
