"""Who may reach a server of ours, and with which token."""

import pytest

from bot.app.access import is_loopback, metrics_token, query_token
from bot.settings import SettingsError, load_settings

TOKEN = "only-for-this-test"


def settings(**changes):
    """Return settings, with changes."""
    return load_settings(_env_file=None, **changes)


@pytest.mark.parametrize(
    ("host", "loopback"),
    [("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("web", False)],  # noqa: S104
)
def test_only_this_machine_reaches_a_loopback_address(host, loopback):
    """A name that may stand for anything counts as public."""
    assert is_loopback(host) is loopback


def test_metrics_are_open_on_loopback_and_want_their_token_elsewhere():
    """Without a token they are not served to the network at all."""
    assert metrics_token(settings(), "127.0.0.1") == (True, None)
    assert metrics_token(settings(), "0.0.0.0") == (False, None)  # noqa: S104
    assert metrics_token(settings(metrics_token=TOKEN), "0.0.0.0") == (True, TOKEN)  # noqa: S104
    assert metrics_token(settings(metrics_token=TOKEN), "127.0.0.1") == (True, TOKEN)


def test_scouts_queries_want_a_token_over_the_network_that_both_sides_derive():
    """From the webhook secret, which it does not give away."""
    public = {"scout_host": "0.0.0.0"}  # noqa: S104
    token = query_token(settings(github_webhook_secret="one", **public))
    assert token == query_token(settings(github_webhook_secret="one", **public))
    assert token != query_token(settings(github_webhook_secret="two", **public))
    assert token is not None
    assert "one" not in token
    assert query_token(settings()) is None
    with pytest.raises(SettingsError, match="GITHUB_WEBHOOK_SECRET"):
        query_token(settings(**public))
