"""Settings: what is read from where, and what is said when it is wrong."""

import pytest

from bot.setting_names import environment
from bot.settings import Mode, Settings, SettingsError, document, load_settings

WELL_KNOWN = {
    "ENV",
    "MEMORY_LIMIT_MB",
    "GITHUB_API_URL",
    "GITHUB_APP_ID",
    "GITHUB_PRIVATE_KEY",
    "GITHUB_PRIVATE_KEY_FILE",
    "GITHUB_WEBHOOK_SECRET",
    "GITHUB_WEBHOOK_SECRET_PREVIOUS",
    "DATABASE_URL",
    "REDIS_URL",
    "KAFKA_BOOTSTRAP_SERVERS",
    "CHROMA_URL",
    "LLM_API_KEY",
    "LLM_MODEL",
    "LLM_BASE_URL",
    "LLM_BUDGET_TOKENS",
    "LLM_BUDGET_USD",
    "LLM_BUDGET_S",
    "LLM_PRICE_IN",
    "LLM_PRICE_OUT",
    "OTLP_TOKENS",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
}


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch, tmp_path):
    """Neither this machine's variables nor its .env take part."""
    for row in document():
        monkeypatch.delenv(row.name, raising=False)
        monkeypatch.delenv(f"SRE_SPACE_{row.name}", raising=False)
    monkeypatch.chdir(tmp_path)


def test_every_setting_has_a_row_with_its_meaning():
    """The README's table comes from here: nothing is missing, nothing unexplained."""
    rows = document()
    assert len(rows) == len(Settings.model_fields)
    assert all(row.meaning for row in rows)
    names = {row.name for row in rows}
    assert names >= WELL_KNOWN
    assert all(name.startswith("SRE_SPACE_") for name in names - WELL_KNOWN)


def test_without_any_variable_everything_is_embedded():
    """The defaults need no other service."""
    settings = load_settings()
    assert settings.mode is Mode.EMBEDDED
    assert settings.redis_url is None
    assert settings.database.startswith("sqlite+aiosqlite:////")
    assert settings.database.endswith("/var/sre-space.db")
    assert (settings.web_host, settings.scout_host) == ("127.0.0.1", "127.0.0.1")


@pytest.mark.parametrize("name", ["GITHUB_APP_ID", "SRE_SPACE_GITHUB_APP_ID"])
def test_well_known_names_are_read_with_and_without_the_prefix(monkeypatch, name):
    """Both mean the same."""
    monkeypatch.setenv(name, "42")
    assert load_settings().github_app_id == 42


def test_an_empty_variable_counts_as_unset(monkeypatch):
    """Compose files pass empty variables on."""
    monkeypatch.setenv("REDIS_URL", "")
    monkeypatch.setenv("GITHUB_APP_ID", "")
    assert load_settings().redis_url is None
    assert load_settings().github_app_id is None


def test_a_dotenv_file_is_read(tmp_path):
    """In the working directory."""
    (tmp_path / ".env").write_text("SRE_SPACE_REPOSITORY=acme/shop\nOTHER=1\n")
    assert load_settings().require_repository() == ("acme", "shop")


def test_tokens_are_read_per_tenant(monkeypatch):
    """`tenant=token`, separated by commas; a token may hold an equals sign."""
    monkeypatch.setenv("OTLP_TOKENS", "acme=abc==, beta = def")
    tokens = load_settings().otlp_tokens
    assert {tenant: token.get_secret_value() for tenant, token in tokens.items()} == {
        "acme": "abc==",
        "beta": "def",
    }


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SRE_SPACE_WEB_PORT", "99999"),
        ("SRE_SPACE_SCOUT_GRPC_PORT", "99999"),
        ("SRE_SPACE_SCOUT_GRPC_PORT", "perhaps"),
        ("SRE_SPACE_REPOSITORY", "only-a-name"),
        ("SRE_SPACE_REPOSITORY", "a/b/c"),
        ("OTLP_TOKENS", "secret-without-tenant"),
        ("ENV", "production"),
        ("GITHUB_API_URL", "api.github.com"),
        ("MEMORY_LIMIT_MB", "much"),
    ],
)
def test_a_value_that_cannot_be_used_is_named_by_its_variable_and_not_shown(monkeypatch, name, value):
    """The value may be a secret that went into the wrong variable."""
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert caught.value.variable == name
    assert value not in str(caught.value)


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ({}, "GITHUB_APP_ID"),
        ({"github_app_id": 1, "github_private_key": "pem"}, "GITHUB_WEBHOOK_SECRET"),
        ({"github_app_id": 1, "github_webhook_secret": "s"}, "GITHUB_PRIVATE_KEY or GITHUB_PRIVATE_KEY_FILE"),
        (
            {"github_app_id": 1, "github_webhook_secret": "s", "github_private_key_file": "nowhere.pem"},
            "GITHUB_PRIVATE_KEY_FILE",
        ),
    ],
)
def test_a_missing_credential_is_named_with_where_to_get_it(given, missing):
    """One at a time, by the variable's name."""
    with pytest.raises(SettingsError, match="settings page") as caught:
        load_settings(**given).require_github()
    assert caught.value.variable == missing


def test_the_key_may_come_in_one_line_or_from_a_file(tmp_path):
    """Both forms give the same PEM."""
    pem = "-----BEGIN KEY-----\nabc\n-----END KEY-----\n"
    (tmp_path / "key.pem").write_text(pem)
    same = {"github_app_id": 1, "github_webhook_secret": "new", "github_webhook_secret_previous": "old"}
    for key in ({"github_private_key": pem.replace("\n", "\\n")}, {"github_private_key_file": "key.pem"}):
        credentials = load_settings(**same, **key).require_github()
        assert credentials.private_key.get_secret_value() == pem
        assert [secret.get_secret_value() for secret in credentials.webhook_secrets] == ["new", "old"]


def test_secrets_are_not_in_what_is_printed():
    """Neither the settings nor the credentials show them."""
    given = {
        "github_app_id": 1,
        "github_private_key": "private!",
        "github_webhook_secret": "hook!",
        "database_url": "postgresql://u:pass!@h/d",
        "redis_url": "redis://:pass!@h",
        "otlp_tokens": {"acme": "token!"},
    }
    settings = load_settings(**given)
    assert "!" not in repr(settings)
    assert "!" not in repr(settings.require_github())


def test_a_child_process_reads_exactly_these_settings(monkeypatch):
    """Whatever way a value came in, it goes on by its variable."""
    given = {
        "repository": "acme/shop",
        "redis_url": "unix:///r.sock",
        "otlp_tokens": {"acme": "a=b", "beta": "c"},
        "mode": "cloud",
        "web_port": 1234,
        "log_json": True,
    }
    settings = load_settings(**given)
    for name, value in environment(settings).items():
        monkeypatch.setenv(name, value)
    assert load_settings() == settings
