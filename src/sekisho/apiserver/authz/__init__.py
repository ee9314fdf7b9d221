"""Role-based access control."""

from sekisho.apiserver.authz.aggregation import Aggregation
from sekisho.apiserver.authz.bootstrap import bootstrap_roles
from sekisho.apiserver.authz.escalation import Escalation
from sekisho.apiserver.authz.rbac import Rbac

__all__ = ["Aggregation", "Escalation", "Rbac", "bootstrap_roles"]
