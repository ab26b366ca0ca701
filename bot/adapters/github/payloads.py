"""GitHub's answers, reduced to the fields that are used. Unknown fields are ignored, missing ones are errors."""

from pydantic import AwareDatetime, BaseModel, ConfigDict, RootModel


class Payload(BaseModel):
    """Base of all answers."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class User(Payload):
    """An account. Deleted accounts are shown by GitHub as null."""

    login: str
    id: int
    type: str = "User"


class App(Payload):
    """A GitHub App."""

    id: int
    slug: str = ""
    html_url: str = ""


class Named(Payload):
    """Anything of which only the name matters."""

    name: str


class Repository(Payload):
    """A repository and the ways in which it takes merges."""

    id: int
    name: str
    owner: User
    default_branch: str = "main"
    allow_squash_merge: bool = True
    allow_merge_commit: bool = True
    allow_rebase_merge: bool = True


class Installation(Payload):
    """An installation of our App."""

    id: int


class Issue(Payload):
    """An issue or pull request as the issues API shows it."""

    number: int
    title: str
    body: str | None = None
    state: str
    user: User | None = None
    labels: tuple[Named, ...] = ()
    html_url: str
    performed_via_github_app: App | None = None


class Comment(Payload):
    """A comment on an issue or pull request."""

    id: int
    body: str | None = None
    user: User | None = None
    created_at: AwareDatetime
    updated_at: AwareDatetime
    html_url: str = ""
    performed_via_github_app: App | None = None


class Permission(Payload):
    """What a user may do: GitHub's four old words, and the role's own name."""

    permission: str
    role_name: str | None = None


class Contents(Payload):
    """A file. Above 1 MB `content` is empty and `encoding` is "none"."""

    type: str
    path: str
    sha: str
    encoding: str = ""
    content: str = ""


class FileOrFolder(RootModel[Contents | tuple[Payload, ...]]):
    """What is at a path: a file (or link, or submodule), or the list of what a folder holds."""


class Blob(Payload):
    """A git blob, base64."""

    sha: str
    content: str


class Sha(Payload):
    """Any git object by its SHA."""

    sha: str


class Ref(Payload):
    """A git reference."""

    ref: str
    object: Sha


class Branch(Payload):
    """A branch, with the summary of its protection that anyone who can read may see."""

    name: str
    commit: Sha
    protection: "BranchProtection | None" = None


class RequiredChecks(Payload):
    """Names of the checks that a branch demands."""

    contexts: tuple[str, ...] = ()


class BranchProtection(Payload):
    """Summary of a branch's protection."""

    required_status_checks: RequiredChecks | None = None


class TreeEntry(Payload):
    """One entry of a git tree."""

    path: str
    mode: str
    type: str
    sha: str


class Tree(Payload):
    """A git tree."""

    sha: str
    tree: tuple[TreeEntry, ...] = ()
    truncated: bool = False


class Signature(Payload):
    """Author or committer as git knows them."""

    name: str = ""
    date: AwareDatetime


class GitCommit(Payload):
    """A commit of the git data API."""

    sha: str
    tree: Sha
    parents: tuple[Sha, ...] = ()
    message: str = ""


class CommitText(Payload):
    """The git part of a commit in the commits API."""

    message: str
    author: Signature | None = None
    committer: Signature


class ChangedFile(Payload):
    """A file that a commit changed."""

    filename: str
    status: str
    patch: str = ""
    previous_filename: str | None = None


class Commit(Payload):
    """A commit of the commits API. `author` and `committer` are null where no account is known, or empty objects."""

    sha: str
    commit: CommitText
    author: "User | Nobody | None" = None
    committer: "User | Nobody | None" = None
    parents: tuple[Sha, ...] = ()
    files: tuple[ChangedFile, ...] = ()
    html_url: str = ""


class Nobody(Payload):
    """GitHub's empty object for an account that it does not know."""


class Comparison(Payload):
    """`base...head`."""

    status: str
    commits: tuple[Commit, ...] = ()
    files: tuple[ChangedFile, ...] = ()
