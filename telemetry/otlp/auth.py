"""Bearer tokens: which tenant a request belongs to."""

import hmac
from collections.abc import Mapping

from telemetry.otlp.errors import UnauthenticatedError

DEFAULT_TENANT = "default"


def tenant_of(authorization: str, tokens: Mapping[str, str]) -> str:
    """Return the tenant of an Authorization header (RFC 6750), `default` where no tokens are configured.

    `tokens` maps each token to its tenant, so that a tenant may have two while one is rotated. All tokens are
    compared, in constant time. Raises UnauthenticatedError.
    """
    if not tokens:
        return DEFAULT_TENANT
    scheme, _, given = authorization.partition(" ")
    found = ""
    for token, tenant in tokens.items():
        if hmac.compare_digest(token.encode(), given.strip().encode("utf-8", "surrogateescape")):
            found = tenant
    if scheme.lower() != "bearer" or not found:
        raise UnauthenticatedError("a known bearer token is needed", headers={"WWW-Authenticate": "Bearer"})
    return found
