"""Who may reach a server of ours, and with which token."""

import hmac
import ipaddress

from pydantic import SecretStr

from bot.settings import Settings


def marker_secret(settings: Settings) -> SecretStr:
    """Return the secret that signs hidden markers: the webhook secret, so that there is one less to keep."""
    return settings.require_webhook_secrets()[0]


def is_loopback(host: str) -> bool:
    """Return whether only this machine reaches `host`; a name other than localhost counts as public."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def metrics_token(settings: Settings, host: str) -> tuple[bool, str | None]:
    """Return whether `/metrics` is served on `host` at all, and the bearer token that it wants."""
    if settings.metrics_token is not None:
        return True, settings.metrics_token.get_secret_value()
    return is_loopback(host), None


def query_token(settings: Settings) -> str | None:
    """Return the bearer token of Scout's query API: derived from the webhook secret, None on loopback.

    Raises:
        SettingsError: Scout is reached over the network and there is no webhook secret.
    """
    if is_loopback(settings.scout_host):
        return None
    return hmac.digest(marker_secret(settings).get_secret_value().encode(), b"sre-space scout query", "sha256").hex()
