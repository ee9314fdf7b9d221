"""Webhooks: whom to ask, and asking them."""

from sekisho.apiserver.webhooks.caller import Caller, Refused, WebhookClient
from sekisho.apiserver.webhooks.config import client_causes

__all__ = ["Caller", "Refused", "WebhookClient", "client_causes"]
