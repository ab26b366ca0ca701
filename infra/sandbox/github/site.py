"""Everything a handler needs, in one value."""

from dataclasses import dataclass

from infra.sandbox.github.deliveries import Dispatcher
from infra.sandbox.github.faults import FaultBox
from infra.sandbox.github.git.repository import GitRepository
from infra.sandbox.github.records.accounts import App, Repository, User
from infra.sandbox.github.store import Store


@dataclass(frozen=True)
class Site:
    """The stand-in: its memory, its repository, its webhooks."""

    base_url: str
    store: Store
    git: GitRepository
    dispatcher: Dispatcher
    faults: FaultBox

    @property
    def repository(self) -> Repository:
        """The one repository."""
        return next(iter(self.store.repositories))

    @property
    def owner(self) -> User:
        """The organisation that owns the repository."""
        return self.store.users.get(self.repository.owner_id)

    @property
    def full_name(self) -> str:
        """The repository as `owner/name`."""
        return f"{self.owner.login}/{self.repository.name}"

    @property
    def repo_api(self) -> str:
        """The repository's URL in the API."""
        return f"{self.base_url}/repos/{self.full_name}"

    @property
    def repo_html(self) -> str:
        """The repository's page."""
        return f"{self.base_url}/{self.full_name}"


@dataclass(frozen=True)
class Actor:
    """Who makes a request: a user, an installation of an App (as its bot), or an App itself."""

    user: User
    app: App | None = None
    installation_id: int | None = None
    permissions: dict[str, str] | None = None

    @property
    def is_app(self) -> bool:
        """Whether this is an App by its JWT, which may only manage itself."""
        return self.app is not None and self.installation_id is None

    @property
    def app_id(self) -> int | None:
        """The App behind the action, for `performed_via_github_app`."""
        return self.app.id if self.app else None
