"""Files that no remedy may ever touch: workflows, ownership, our own policy, auth and lock files."""

from agents.paths import matches

# Compared in lower case: a file system that ignores case must not open a way around.
PROTECTED_GLOBS: tuple[str, ...] = (
    ".github/**",  # workflows, actions, CODEOWNERS, dependabot, sre-space.yml, rulesets
    "**/.github/workflows/**",
    "**/codeowners",
    "**/sre-space.yml",
    "**/sre-space.yaml",
    "**/.gitmodules",
    "**/.gitattributes",
    "**/.git/**",
    "**/policy/**",
    "**/policies/**",
    "**/.policy.yml",
    "**/*.rego",
    "**/auth/**",
    "**/authn/**",
    "**/authz/**",
    "**/rbac/**",
    "**/*rbac*.y*ml",
    "**/secrets/**",
    "**/*.pem",
    "**/*.key",
    "**/*.lock",
    "**/*.lockb",
    "**/*-lock.json",
    "**/*-lock.yaml",
    "**/npm-shrinkwrap.json",
    "**/go.sum",
    "**/requirements*.lock",
    "**/gradle.lockfile",
    "**/packages.lock.json",
)


def protected(path: str) -> str | None:
    """Return the glob that protects `path`, or None if a remedy may touch it."""
    lowered = path.lower()
    return next((glob for glob in PROTECTED_GLOBS if matches(lowered, glob)), None)
