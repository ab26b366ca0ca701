"""Which services the shop has, what belongs to each, and whom it calls."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Service:
    """A service: it is restarted when a file below one of `paths` has changed."""

    name: str
    paths: tuple[str, ...]
    calls: tuple[str, ...]


SHARED = "shop"
# A service comes after the services it calls: so the shop starts, and so it is rolled out.
SERVICES = (
    Service("pricing", ("services/pricing", SHARED), ("tax",)),
    Service("quote", ("services/quote", SHARED), ("pricing",)),
    Service("gateway", ("services/gateway", SHARED), ("quote",)),
)


def is_touched(service: Service, changed_paths: tuple[str, ...]) -> bool:
    """Returns whether any of the changed files belongs to the service."""
    return any(path.startswith(f"{prefix}/") for path in changed_paths for prefix in service.paths)
