"""Accounts, Apps, installations, tokens and the repository."""

from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from infra.sandbox.github.records.base import Record


class Role(StrEnum):
    """What a user may do in the repository, from nothing to everything."""

    NONE = "none"
    READ = "read"
    TRIAGE = "triage"
    WRITE = "write"
    MAINTAIN = "maintain"
    ADMIN = "admin"

    @property
    def rank(self) -> int:
        """0 for no right at all, up to 5 for an administrator."""
        return list(Role).index(self)

    @property
    def legacy(self) -> str:
        """The role in the four words of the older `permission` field."""
        return {"triage": "read", "maintain": "write"}.get(self.value, self.value)


class User(Record):
    """A person, a bot or an organisation."""

    login: str
    type: Literal["User", "Bot", "Organization"] = "User"
    name: str | None = None
    email: str | None = None
    role: Role = Role.NONE
    association: str = "NONE"
    created_at: str


class HookConfig(BaseModel):
    """Where and how an App's webhooks are sent."""

    model_config = ConfigDict(frozen=True)

    id: int
    url: str | None
    secret: str
    content_type: Literal["json", "form"] = "json"
    insecure_ssl: str = "0"


class App(Record):
    """A GitHub App. The private key is kept too, since the sandbox hands it out again at each start."""

    slug: str
    name: str
    client_id: str
    client_secret: str
    owner_id: int
    bot_id: int
    description: str | None = None
    external_url: str
    private_key: str
    public_key: str
    permissions: dict[str, str]
    events: list[str]
    hook: HookConfig
    created_at: str
    updated_at: str


class Installation(Record):
    """An App installed on the repository's owner."""

    app_id: int
    account_id: int
    permissions: dict[str, str]
    events: list[str]
    created_at: str
    updated_at: str


class Token(Record):
    """A bearer token of a user, or of an installation with its narrowed permissions."""

    value: str
    user_id: int | None = None
    installation_id: int | None = None
    permissions: dict[str, str] = Field(default_factory=dict[str, str])
    expires_at: str | None = None


class Team(Record):
    """A team of the organisation; members by user id."""

    slug: str
    members: list[int]


class ManifestCode(Record):
    """A one-time code that the manifest flow exchanges for an App's credentials."""

    code: str
    app_id: int
    expires_at: str


class Repository(Record):
    """The one repository of the sandbox."""

    owner_id: int
    name: str
    private: bool = False
    description: str | None = None
    default_branch: str = "main"
    allow_merge_commit: bool = True
    allow_squash_merge: bool = True
    allow_rebase_merge: bool = True
    allow_auto_merge: bool = True
    delete_branch_on_merge: bool = False
    last_number: int = 0
    created_at: str
    updated_at: str
    pushed_at: str
