"""The authorizer of expressions: ``authorizer.group('apps').resource('deployments').check('create')``."""

from __future__ import annotations

from sekisho.apiserver.authorize import Attributes
from sekisho.apiserver.authz.rbac import Rbac
from sekisho.cel.kubernetes import authorizer as cel


class Asking:
    """``cel.kubernetes.authorizer.Authorizer`` over roles and bindings."""

    def __init__(self, rbac: Rbac) -> None:
        self._rbac = rbac

    def authorize(self, attributes: cel.Attributes) -> cel.Answer:
        """Answer a question. Roles know no selectors, so those restrict nothing here."""
        resource = attributes.resource
        if resource is None:
            question = Attributes(user=attributes.user, verb=attributes.verb, path=attributes.path)
        else:
            question = Attributes(
                user=attributes.user,
                verb=attributes.verb,
                group=resource.group,
                version="*",
                resource=resource.resource,
                subresource=resource.subresource,
                namespace=resource.namespace,
                name=resource.name,
            )
        decision = self._rbac.ask(question)
        return cel.Answer(allowed=decision.allowed, reason=decision.reason)
