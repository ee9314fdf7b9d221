"""The admission that is part of every API server."""

from sekisho.apiserver.admission.plugins.classes import DefaultClasses
from sekisho.apiserver.admission.plugins.limits import LimitRanger
from sekisho.apiserver.admission.plugins.pods import Priorities, RuntimeClasses, ServiceAccounts, Tolerations
from sekisho.apiserver.admission.plugins.protection import StorageProtection
from sekisho.apiserver.admission.plugins.quota import Quotas

__all__ = [
    "DefaultClasses",
    "LimitRanger",
    "Priorities",
    "Quotas",
    "RuntimeClasses",
    "ServiceAccounts",
    "StorageProtection",
    "Tolerations",
]
