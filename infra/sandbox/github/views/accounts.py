"""Users, organisations, Apps and installations as JSON."""

from typing import Any

from infra.sandbox.github.records.accounts import App, Installation, Role, User
from infra.sandbox.github.site import Site

Json = dict[str, Any]

USER_LINKS = {
    "url": "",
    "followers_url": "/followers",
    "following_url": "/following{/other_user}",
    "gists_url": "/gists{/gist_id}",
    "starred_url": "/starred{/owner}{/repo}",
    "subscriptions_url": "/subscriptions",
    "organizations_url": "/orgs",
    "repos_url": "/repos",
    "events_url": "/events{/privacy}",
    "received_events_url": "/received_events",
}


def node_id(prefix: str, record_id: int) -> str:
    """An opaque id in the form of GitHub's."""
    return f"{prefix}_kwDO{record_id:08x}"


def user(site: Site, account: User) -> Json:
    """A `simple-user`."""
    api = f"{site.base_url}/users/{account.login}"
    path = f"apps/{account.login.removesuffix('[bot]')}" if account.type == "Bot" else account.login
    return {
        "login": account.login,
        "id": account.id,
        "node_id": node_id("U", account.id),
        "avatar_url": f"{site.base_url}/avatars/u/{account.id}",
        "gravatar_id": "",
        "html_url": f"{site.base_url}/{path}",
        **{key: f"{api}{suffix}" for key, suffix in USER_LINKS.items()},
        "type": account.type,
        "user_view_type": "public",
        "site_admin": False,
    }


def user_by_id(site: Site, user_id: int | None) -> Json | None:
    """The `simple-user` of that id, or null."""
    account = site.store.users.find(user_id)
    return user(site, account) if account else None


def public_user(site: Site, account: User) -> Json:
    """A `public-user`."""
    return {
        **user(site, account),
        "name": account.name,
        "company": None,
        "blog": "",
        "location": None,
        "email": account.email,
        "hireable": None,
        "bio": None,
        "twitter_username": None,
        "public_repos": len(site.store.repositories) if account.id == site.owner.id else 0,
        "public_gists": 0,
        "followers": 0,
        "following": 0,
        "created_at": account.created_at,
        "updated_at": account.created_at,
    }


def private_user(site: Site, account: User) -> Json:
    """A `private-user`: the caller itself."""
    return {
        **public_user(site, account),
        "user_view_type": "private",
        "private_gists": 0,
        "total_private_repos": 0,
        "owned_private_repos": 0,
        "disk_usage": 0,
        "collaborators": 0,
        "two_factor_authentication": True,
    }


def role_permissions(role: Role) -> dict[str, bool]:
    """The five booleans of a role."""
    return {
        "admin": role.rank >= Role.ADMIN.rank,
        "maintain": role.rank >= Role.MAINTAIN.rank,
        "push": role.rank >= Role.WRITE.rank,
        "triage": role.rank >= Role.TRIAGE.rank,
        "pull": role.rank >= Role.READ.rank,
    }


def organization(site: Site) -> Json:
    """The owner as `organization-simple-webhooks`."""
    owner = site.owner
    api = f"{site.base_url}/orgs/{owner.login}"
    return {
        "login": owner.login,
        "id": owner.id,
        "node_id": node_id("O", owner.id),
        "url": api,
        "repos_url": f"{api}/repos",
        "events_url": f"{api}/events",
        "hooks_url": f"{api}/hooks",
        "issues_url": f"{api}/issues",
        "members_url": f"{api}/members{{/member}}",
        "public_members_url": f"{api}/public_members{{/member}}",
        "avatar_url": f"{site.base_url}/avatars/u/{owner.id}",
        "description": owner.name,
    }


def app(site: Site, record: App) -> Json:
    """An `integration`."""
    return {
        "id": record.id,
        "slug": record.slug,
        "client_id": record.client_id,
        "node_id": node_id("A", record.id),
        "owner": user(site, site.store.users.get(record.owner_id)),
        "name": record.name,
        "description": record.description,
        "external_url": record.external_url,
        "html_url": f"{site.base_url}/apps/{record.slug}",
        "created_at": record.created_at,
        "updated_at": record.updated_at,
        "permissions": record.permissions,
        "events": record.events,
    }


def app_by_id(site: Site, app_id: int | None) -> Json | None:
    """The `integration` of that id, or null."""
    record = site.store.apps.find(app_id)
    return app(site, record) if record else None


def installation(site: Site, record: Installation) -> Json:
    """An `installation`."""
    owner = site.store.users.get(record.account_id)
    installed = site.store.apps.get(record.app_id)
    return {
        "id": record.id,
        "client_id": installed.client_id,
        "account": user(site, owner),
        "repository_selection": "all",
        "access_tokens_url": f"{site.base_url}/app/installations/{record.id}/access_tokens",
        "repositories_url": f"{site.base_url}/installation/repositories",
        "html_url": f"{site.base_url}/organizations/{owner.login}/settings/installations/{record.id}",
        "app_id": record.app_id,
        "app_slug": installed.slug,
        "target_id": owner.id,
        "target_type": owner.type,
        "permissions": record.permissions,
        "events": record.events,
        "created_at": record.created_at,
        "updated_at": record.updated_at,
        "single_file_name": None,
        "has_multiple_single_files": False,
        "single_file_paths": [],
        "suspended_by": None,
        "suspended_at": None,
    }
