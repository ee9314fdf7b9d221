"""The codes of this package, POL160-POL179."""

from __future__ import annotations

from typing import Final

from sekisho.diag import register

# Policies and bindings: what keeps them from being used.
BAD_POLICY: Final = register("POL160", "a ValidatingAdmissionPolicy is malformed")
BAD_BINDING: Final = register("POL161", "a ValidatingAdmissionPolicyBinding is malformed")
NO_POLICY: Final = register("POL162", "there is no ValidatingAdmissionPolicy for a binding")
UNBOUND: Final = register("POL163", "a ValidatingAdmissionPolicy has no binding")
SAME_NAME: Final = register("POL164", "two policies or two bindings have the same name")
TYPE_WARNING: Final = register("POL165", "an expression of a policy does not fit the kinds that it is about")

# Reviews.
DENIED: Final = register("POL170", "an object violates a ValidatingAdmissionPolicy", finding=True)
FAILED: Final = register("POL171", "a ValidatingAdmissionPolicy could not be evaluated", finding=True)
MISCONFIGURED: Final = register(
    "POL172", "a ValidatingAdmissionPolicy or its binding cannot be applied", finding=True
)

# Templates and constraints made into policies and bindings.
NOT_TRANSLATED: Final = register("POL175", "a template cannot be made into a ValidatingAdmissionPolicy")
