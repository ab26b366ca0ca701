"""Who makes a request: user tokens, installation tokens and App JWTs."""

import base64
import binascii
import time
from typing import Any

import jwt
from jwt.types import Options

from infra.sandbox.github import clock
from infra.sandbox.github.errors import ApiError, not_found
from infra.sandbox.github.records.accounts import App, Installation, Role
from infra.sandbox.github.site import Actor, Site

MAX_JWT_LIFE_S = 600
CLOCK_DRIFT_S = 60
UNDECODABLE = "A JSON web token could not be decoded"
EXPIRED = (
    "'Expiration time' claim ('exp') must be a numeric value representing the future time at which the "
    "assertion expires"
)
TOO_LONG = "'Expiration time' claim ('exp') is too far in the future"
BAD_ISSUED_AT = "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued"


def authenticate(site: Site, header: str | None) -> Actor:
    """The actor of an Authorization header; raises 401 as GitHub words it."""
    if not header:
        raise ApiError(401, "Requires authentication")
    scheme, _, credentials = header.strip().partition(" ")
    secret = credentials.strip()
    match scheme.lower():
        case "bearer" | "token" if secret.count(".") == 2:  # noqa: PLR2004 - a JWT has three parts
            return _app(site, secret)
        case "bearer" | "token":
            return _token(site, secret)
        case "basic":
            return _token(site, basic_password(secret))
        case _:
            raise ApiError(401, "Bad credentials")


def basic_password(encoded: str) -> str:
    """The password (or else the name) of HTTP basic credentials, where git puts a token."""
    try:
        name, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError) as error:
        raise ApiError(401, "Bad credentials") from error
    return name if password in {"", "x-oauth-basic"} else password


def _token(site: Site, value: str) -> Actor:
    token = site.store.tokens.first(lambda row: row.value == value)
    if token is None or (token.expires_at and token.expires_at <= clock.iso(clock.real_now())):
        raise ApiError(401, "Bad credentials")
    if token.user_id is not None:
        return Actor(site.store.users.get(token.user_id))
    installation = site.store.installations.find(token.installation_id)
    if installation is None:
        raise ApiError(401, "Bad credentials")
    app = site.store.apps.get(installation.app_id)
    return Actor(site.store.users.get(app.bot_id), app, installation.id, token.permissions)


def _app(site: Site, encoded: str) -> Actor:
    app = _issuer(site, encoded)
    options: Options = {"verify_aud": False, "verify_iat": False, "require": ["iat", "exp"]}
    try:
        claims: dict[str, Any] = jwt.decode(encoded, app.public_key, algorithms=["RS256"], options=options, leeway=0)
    except (jwt.ExpiredSignatureError, jwt.MissingRequiredClaimError) as error:
        raise ApiError(401, EXPIRED) from error
    except jwt.InvalidTokenError as error:
        raise ApiError(401, UNDECODABLE) from error
    now = time.time()
    if not isinstance(claims["iat"], int) or claims["iat"] > now + CLOCK_DRIFT_S:
        raise ApiError(401, BAD_ISSUED_AT)
    if claims["exp"] > now + MAX_JWT_LIFE_S + CLOCK_DRIFT_S:
        raise ApiError(401, TOO_LONG)
    return Actor(site.store.users.get(app.bot_id), app)


def _issuer(site: Site, encoded: str) -> App:
    try:
        claims: dict[str, Any] = jwt.decode(encoded, options={"verify_signature": False})
    except jwt.InvalidTokenError as error:
        raise ApiError(401, UNDECODABLE) from error
    issuer = str(claims.get("iss", ""))
    app = site.store.apps.first(lambda row: issuer in {str(row.id), row.client_id})
    if app is None:
        raise ApiError(404, "Integration not found")
    return app


def require_app(actor: Actor) -> App:
    """The App of a JWT; installations and users are turned away."""
    if actor.app is None or not actor.is_app:
        raise ApiError(401, UNDECODABLE)
    return actor.app


def require_installation(site: Site, actor: Actor) -> Installation:
    """The installation of an installation token; others are turned away."""
    if actor.installation_id is None:
        raise ApiError(403, "You must authenticate with an installation access token in order to list repositories")
    return site.store.installations.get(actor.installation_id)


def role_of(site: Site, actor: Actor) -> Role:
    """A user's effective role: everyone reads a public repository."""
    role = actor.user.role
    if role is Role.NONE and not site.repository.private:
        return Role.READ
    return role


def see_repository(site: Site, actor: Actor, owner: str, name: str) -> None:
    """Raises 404 unless this is the repository and the actor may see it."""
    if f"{owner}/{name}".lower() != site.full_name.lower():
        raise not_found()
    if actor.app is None and role_of(site, actor) is Role.NONE:
        raise not_found()
    if actor.is_app:
        raise ApiError(403, "Resource not accessible by integration")
