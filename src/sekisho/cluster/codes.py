"""The codes of this package: CLU020 to CLU059."""

from __future__ import annotations

from typing import Final

from sekisho.diag import register
from sekisho.diag.code import Blame

BAD_KUBECONFIG: Final = register("CLU020", "a kubeconfig is wrong")
NO_CLUSTER: Final = register("CLU021", "no cluster is configured", blame=Blame.ENVIRONMENT)
BAD_CREDENTIALS: Final = register(
    "CLU022", "the credentials of a kubeconfig cannot be had", blame=Blame.ENVIRONMENT
)
REFUSED: Final = register("CLU023", "the API server refused a request", blame=Blame.ENVIRONMENT)
BAD_ANSWER: Final = register("CLU024", "the API server's answer makes no sense", blame=Blame.ENVIRONMENT)
NOT_LEADING: Final = register("CLU025", "a lease is not held", blame=Blame.ENVIRONMENT)
TOO_FAST: Final = register("CLU026", "the client's own rate limit is in the way", blame=Blame.ENVIRONMENT)
NOT_READY: Final = register("CLU027", "an object did not become what it should", blame=Blame.ENVIRONMENT)
