"""Which services a commit concerns."""

from infra.sandbox.deployer.topology import SERVICES, is_touched


def touched(*paths: str) -> list[str]:
    """Returns the services that a commit of these files restarts."""
    return [service.name for service in SERVICES if is_touched(service, paths)]


def test_a_services_own_file_restarts_that_service_alone() -> None:
    """A settings change in quote leaves the others running."""
    assert touched("services/quote/settings.yaml") == ["quote"]


def test_shared_code_restarts_every_service_callees_first() -> None:
    """`shop/` belongs to all."""
    assert touched("shop/http.py") == ["pricing", "quote", "gateway"]


def test_documents_restart_nothing() -> None:
    """A README does not run."""
    assert touched("README.md", ".github/sre-space.yml", "services/README.md", "shopping.md") == []
