"""The manifest flow: a person confirms a new App in the browser, the caller exchanges the code for its keys."""

import json
import re
import secrets
from datetime import timedelta
from urllib.parse import urlencode, urlsplit, urlunsplit

from fastapi import APIRouter, Depends, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from infra.sandbox.github import clock, events, seed
from infra.sandbox.github.api.deps import SiteDep, reply
from infra.sandbox.github.errors import ApiError, not_found
from infra.sandbox.github.forms import Form, Person, one_at_a_time
from infra.sandbox.github.pageguard import guard_page
from infra.sandbox.github.pages import render
from infra.sandbox.github.permissions import LEVELS
from infra.sandbox.github.records.accounts import ManifestCode, Role
from infra.sandbox.github.views import accounts

CODE_LIFE = timedelta(hours=1)

router = APIRouter()


class HookAttributes(BaseModel):
    """Where the new App's webhooks go."""

    url: str
    active: bool = True


class Manifest(BaseModel):
    """What an App asks to be."""

    model_config = ConfigDict(extra="ignore")

    name: str = Field(default="", max_length=34)
    url: str
    redirect_url: str
    setup_url: str | None = None
    description: str | None = None
    public: bool = False
    hook_attributes: HookAttributes | None = None
    default_permissions: dict[str, str] = Field(default_factory=dict[str, str])
    default_events: list[str] = Field(default_factory=list[str])


def parse_manifest(text: str) -> Manifest:
    """The manifest; raises 422 with a sentence a person can act on."""
    try:
        manifest = Manifest.model_validate_json(text)
    except ValidationError as error:
        raise ApiError(422, f"The manifest is not valid: {error.errors()[0]['msg']}") from error
    wrong = {name for name, level in manifest.default_permissions.items() if level not in LEVELS}
    if wrong:
        raise ApiError(422, f"The manifest asks for unknown levels of: {', '.join(sorted(wrong))}")
    if urlsplit(manifest.redirect_url).scheme not in {"http", "https"}:
        raise ApiError(422, "redirect_url is not a web address.")
    return manifest


def slug_of(name: str) -> str:
    """The name of an App as it stands in addresses."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


@router.post("/settings/apps/new")
@router.post("/organizations/{org}/settings/apps/new")
async def confirm(form: Form, site: SiteDep, state: str = "") -> HTMLResponse:
    """Asks the person before anything is made; so a form of any site may come here."""
    manifest = parse_manifest(form.get("manifest", ""))
    page = render(
        site,
        "manifest.html",
        title="Create an App",
        manifest=manifest,
        text=json.dumps(manifest.model_dump()),
        state=state,
    )
    # The answer to the button leads to the caller's own address, which form-action 'self' would stop.
    policy = page.headers["content-security-policy"].replace("form-action 'self'; ", "")
    page.headers["content-security-policy"] = policy
    return page


@router.post("/settings/apps", dependencies=[Depends(guard_page), Depends(one_at_a_time)])
async def create(form: Form, site: SiteDep) -> RedirectResponse:
    """Makes the App and leads the person back with a code."""
    manifest = parse_manifest(form.get("manifest", ""))
    name = form.get("name", "").strip() or manifest.name
    slug = slug_of(name)
    if not slug or site.store.apps.first(lambda row: row.slug == slug):
        raise ApiError(422, "Name is already taken" if slug else "Name is missing")
    app = seed.add_app(
        site.store,
        slug=slug,
        name=name,
        owner_id=site.owner.id,
        url=manifest.url,
        hook_url=manifest.hook_attributes.url if manifest.hook_attributes else None,
        permissions={"metadata": "read", **manifest.default_permissions},
        events=manifest.default_events,
    )
    code = ManifestCode(
        id=site.store.next_id(),
        code=secrets.token_hex(20),
        app_id=app.id,
        expires_at=clock.iso(clock.real_now() + CODE_LIFE),
    )
    site.store.manifest_codes.put(code)
    query = {"code": code.code, **({"state": form["state"]} if form.get("state") else {})}
    parts = urlsplit(manifest.redirect_url)
    joined = "&".join(filter(None, [parts.query, urlencode(query)]))
    return RedirectResponse(urlunsplit(parts._replace(query=joined)), 303)


@router.post("/app-manifests/{code}/conversions")
async def convert(code: str, site: SiteDep) -> Response:
    """The App with its keys, once."""
    found = site.store.manifest_codes.first(lambda row: row.code == code)
    if found is None or found.expires_at <= clock.iso(clock.real_now()):
        raise not_found()
    site.store.manifest_codes.delete(found.id)
    app = site.store.apps.get(found.app_id)
    secret = {"client_secret": app.client_secret, "webhook_secret": app.hook.secret, "pem": app.private_key}
    return reply({**accounts.app(site, app), **secret}, 201)


@router.get("/apps/{slug}/installations/new", dependencies=[Depends(guard_page)])
async def choose(slug: str, site: SiteDep) -> HTMLResponse:
    """Asks who installs the App."""
    app = site.store.apps.first(lambda row: row.slug == slug)
    if app is None:
        raise not_found()
    return render(site, "install.html", title=f"Install {app.name}", app=app)


@router.post("/apps/{slug}/installations/new", dependencies=[Depends(guard_page), Depends(one_at_a_time)])
async def install(slug: str, actor: Person, site: SiteDep) -> RedirectResponse:
    """Installs the App on the organisation, once."""
    app = site.store.apps.first(lambda row: row.slug == slug)
    if app is None:
        raise not_found()
    if actor.user.role is not Role.ADMIN:
        raise ApiError(403, "Only an administrator may install an App.")
    if site.store.installations.first(lambda row: row.app_id == app.id) is None:
        events.ping(site, seed.install(site.store, app, site.owner.id))
    return RedirectResponse(site.repo_html, 303)
