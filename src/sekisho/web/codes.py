"""The codes of this package, CLU001-CLU019: the network."""

from __future__ import annotations

from typing import Final

from sekisho.diag import Blame, register

UNREACHABLE: Final = register("CLU001", "a server cannot be reached", blame=Blame.ENVIRONMENT)
TIMEOUT: Final = register("CLU002", "a server did not answer in time", blame=Blame.ENVIRONMENT)
UNTRUSTED: Final = register("CLU003", "a server's certificate is not trusted", blame=Blame.ENVIRONMENT)
NO_TLS: Final = register("CLU004", "no TLS connection comes about", blame=Blame.ENVIRONMENT)
TOO_LARGE: Final = register("CLU005", "an answer is too large", blame=Blame.ENVIRONMENT)
REDIRECT: Final = register("CLU006", "a redirect is not followed", blame=Blame.ENVIRONMENT)
BROKEN: Final = register("CLU007", "an answer breaks off, or is not HTTP", blame=Blame.ENVIRONMENT)
BAD_URL: Final = register("CLU008", "a URL cannot be asked")
BAD_CERTIFICATE: Final = register("CLU009", "a certificate or key cannot be used")
NOT_JSON: Final = register("CLU010", "an answer is not the JSON that it should be", blame=Blame.ENVIRONMENT)
NOT_ALLOWED: Final = register("CLU011", "a host may not be asked")
