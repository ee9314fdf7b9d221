"""What commands ask of others: external data and http.send, from files or hosts that the user names."""

from sekisho.cli.network.client import network_option
from sekisho.cli.network.providers import NOTHING, Chosen, ExternalData, provider_options

__all__ = ["NOTHING", "Chosen", "ExternalData", "network_option", "provider_options"]
