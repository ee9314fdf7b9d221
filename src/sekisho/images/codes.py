"""The codes of this package: IMG001-IMG199."""

from __future__ import annotations

from typing import Final

from sekisho.diag import Blame, register

# What people write: policies, attestors, keys, evidence.
BAD_POLICY: Final = register("IMG001", "a Binary Authorization policy is malformed")
BAD_PATTERN: Final = register("IMG002", "a pattern of image names is malformed")
TWO_RULE_MAPS: Final = register("IMG003", "a policy has more than one kind of specific rules")
BAD_ATTESTOR: Final = register("IMG004", "an attestor is malformed")
BAD_KEY: Final = register("IMG005", "a public key cannot be used")
BAD_EVIDENCE: Final = register("IMG006", "evidence is malformed")
NO_EXTRA: Final = register("IMG007", "an extra that this needs is not installed", blame=Blame.ENVIRONMENT)

# What policies say about images.
DENIED: Final = register("IMG100", "an image may not run here", alias="VIOLATES_POLICY", finding=True)
UNREADABLE_IMAGE: Final = register(
    "IMG101", "an image's reference is malformed, so it may not run", finding=True
)
NOT_ASKED: Final = register(
    "IMG102", "whether an image is attested could not be asked", blame=Blame.ENVIRONMENT
)

# What a policy allows and hardly means.
SUFFIX_TRAP: Final = register("IMG110", "a pattern goes on past the end of a project's name", finding=True)
UNREACHABLE: Final = register(
    "IMG111", "a pattern matches nothing that an earlier one does not", finding=True
)
UNUSED_PATTERN: Final = register("IMG112", "a pattern matches no image that is used", finding=True)
NO_ATTESTOR: Final = register("IMG113", "a policy names an attestor that is not there", finding=True)
NO_KEYS: Final = register("IMG114", "an attestor without keys is asked", finding=True)
OPEN_DEFAULT: Final = register("IMG115", "a policy allows what no rule is about", finding=True)
