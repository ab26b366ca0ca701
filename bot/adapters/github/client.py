"""Requests to GitHub by our rules: GETs may be repeated, nothing else ever is, and a 401 renews the token once."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from typing import Any, TypeVar

import httpx
from githubkit import GitHub, Response, UnauthAuthStrategy
from githubkit.exception import GitHubException
from githubkit.throttling import LocalThrottler
from pydantic import TypeAdapter, ValidationError

from agents.errors import ForgeRefusedError, ForgeUnavailableError
from bot.adapters.github.auth import AppIdentity, InstallationToken, Tokens, TokenSource, utc_now
from bot.adapters.github.cache import Cached, EtagCache
from bot.adapters.github.errors import translated
from bot.adapters.github.transport import CONNECT_TIMEOUT_S, Transport

M = TypeVar("M")
Params = Mapping[str, str | int]

API_VERSION = "2022-11-28"
ACCEPTS_JSON = {"X-GitHub-Api-Version": API_VERSION}
GONE = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.GONE})
DOTS = frozenset({".", ".."})
RETRY_DELAYS_S = (0.2, 1.0)
MAX_CONCURRENT = 10
PER_PAGE = 100


@dataclass(frozen=True)
class Answer:
    """A body and the address of the page after it."""

    body: bytes
    next_url: str | None = None


def github(api_url: str, transport: Transport, timeout_s: float) -> GitHub[UnauthAuthStrategy]:
    """Build githubkit without its retries, HTTP cache and App authentication, which are ours."""
    return GitHub(
        UnauthAuthStrategy(),
        base_url=api_url,
        user_agent="sre-space",
        timeout=httpx.Timeout(timeout_s, connect=CONNECT_TIMEOUT_S),
        async_transport=transport,
        trust_env=False,
        http_cache=False,
        auto_retry=False,
        throttler=LocalThrottler(MAX_CONCURRENT),
    )


class Client:
    """JSON in and out. `installation` is the id to act as, or None to act as the App itself.

    With tokens that somebody else hands out instead of an App's identity, calls as the App itself are refused.
    """

    def __init__(
        self,
        kit: GitHub[UnauthAuthStrategy],
        identity: AppIdentity | TokenSource,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        etags: EtagCache | None = None,
    ) -> None:
        self._kit = kit
        self._identity = identity if isinstance(identity, AppIdentity) else None
        self._sleep = sleep
        self._cache = etags or EtagCache()
        self._tokens = Tokens(self._fetch_token) if isinstance(identity, AppIdentity) else identity

    async def get(self, installation: int | None, path: str, model: type[M], params: Params | None = None) -> M:
        """Return what is at `path`. Raises ForgeUnavailableError, ForgeRefusedError."""
        return parse(model, (await self._fetched(installation, path, params)).body)

    async def find(self, installation: int | None, path: str, model: type[M], params: Params | None = None) -> M | None:
        """Return what is at `path`, None for 404 and 410."""
        try:
            return await self.get(installation, path, model, params)
        except ForgeRefusedError as error:
            if error.status in GONE:
                return None
            raise

    async def pages(
        self, installation: int | None, path: str, model: type[M], params: Params | None = None, max_pages: int = 10
    ) -> AsyncIterator[M]:
        """Yield pages of a listing, each as `model`, following GitHub's Link header."""
        answer = await self._fetched(installation, path, {"per_page": PER_PAGE, **(params or {})})
        yield parse(model, answer.body)
        for _ in range(max_pages - 1):
            if answer.next_url is None:
                return
            answer = await self._fetched(installation, answer.next_url, None)
            yield parse(model, answer.body)

    async def send(
        self, method: str, installation: int | None, path: str, model: type[M], json: dict[str, Any] | None = None
    ) -> M:
        """Send a write exactly once (a 401 means that it was not carried out). Raises as `get` does."""
        response = await self._authorised(method, installation, path, json=json)
        return parse(model, response.content or b"null")

    async def _fetched(self, installation: int | None, path: str, params: Params | None) -> Answer:
        for delay_s in RETRY_DELAYS_S:
            try:
                return await self._conditional(installation, path, params)
            except ForgeUnavailableError as error:
                if error.retry_after_s is not None:
                    raise
                await self._sleep(delay_s)
        return await self._conditional(installation, path, params)

    async def _conditional(self, installation: int | None, path: str, params: Params | None) -> Answer:
        key = f"{installation} {path} {sorted((params or {}).items())}"
        cached = self._cache.get(key)
        headers = {"If-None-Match": cached.etag} if cached else {}
        response = await self._authorised("GET", installation, path, params=params, headers=headers)
        if response.status_code == HTTPStatus.NOT_MODIFIED and cached is not None:
            return Answer(cached.body, cached.next_url)
        answer = Answer(response.content, _next_url(response))
        if etag := response.headers.get("etag"):
            self._cache.put(key, Cached(etag, answer.body, answer.next_url))
        return answer

    async def _authorised(
        self,
        method: str,
        installation: int | None,
        path: str,
        *,
        params: Params | None = None,
        json: dict[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Response[Any]:
        if installation is None:
            return await self._once(method, path, self._jwt(), params, json, headers)
        token = await self._tokens.get(installation)
        try:
            return await self._once(method, path, token, params, json, headers)
        except ForgeRefusedError as error:
            if error.status != HTTPStatus.UNAUTHORIZED:
                raise
        self._tokens.refused(installation, token)
        return await self._once(method, path, await self._tokens.get(installation), params, json, headers)

    async def _once(
        self,
        method: str,
        path: str,
        token: str,
        params: Params | None,
        json: dict[str, Any] | None,
        headers: Mapping[str, str] | None,
    ) -> Response[Any]:
        if not DOTS.isdisjoint(path.split("/")):
            raise ForgeRefusedError(HTTPStatus.NOT_FOUND, "a path must not lead out of its place")
        all_headers = {**ACCEPTS_JSON, "Authorization": f"Bearer {token}", **(headers or {})}
        query = None if params is None else dict(params)
        try:
            return await self._kit.arequest(method, path, params=query, json=json, headers=all_headers)
        except GitHubException as error:
            raise translated(error) from error

    async def _fetch_token(self, installation: int) -> InstallationToken:
        path = f"/app/installations/{installation}/access_tokens"
        response = await self._once("POST", path, self._jwt(), None, None, None)
        return parse(InstallationToken, response.content)

    def _jwt(self) -> str:
        if self._identity is None:
            raise ForgeRefusedError(HTTPStatus.UNAUTHORIZED, "only a GitHub App can ask this, and a token was given")
        return self._identity.jwt(utc_now())


def parse(model: type[M], body: bytes) -> M:
    """Return `body` as `model`. Raises ForgeUnavailableError: a proxy's page, or a cut answer, may be whole later."""
    try:
        return _adapter(model).validate_json(body)
    except ValidationError as error:
        raise ForgeUnavailableError(f"GitHub's answer could not be read as {model}") from error


@cache
def _adapter(model: type[M]) -> TypeAdapter[M]:
    return TypeAdapter(model)


def _next_url(response: Response[Any]) -> str | None:
    links = response.raw_response.links
    return links.get("next", {}).get("url")
