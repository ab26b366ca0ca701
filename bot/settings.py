"""All configuration of the programs, from the environment and `.env`, in one place.

Length: a setting is one field here, and here alone.
"""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AliasChoices, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from bot.setting_names import PREFIX, SettingRow, SettingsError, known_as, reachable, rows, variable_of
from telemetry.model import Frozen

__all__ = [
    "EmbedderKind",
    "GitHubCredentials",
    "Mode",
    "SettingRow",
    "Settings",
    "SettingsError",
    "document",
    "load_settings",
    "reachable",
]


class Mode(StrEnum):
    """Which event bus carries signals: Kafka, Redis Streams, or one inside this machine."""

    LOCAL = "local"
    CLOUD = "cloud"
    EMBEDDED = "embedded"


class EmbedderKind(StrEnum):
    """What turns texts into vectors for the incident memory."""

    HASHING = "hashing"
    SENTENCE_TRANSFORMERS = "sentence-transformers"
    ONNX = "onnx"


class GitHubCredentials(Frozen):
    """What it takes to act as the GitHub App."""

    app_id: int
    private_key: SecretStr
    webhook_secrets: tuple[SecretStr, ...]


class Settings(BaseSettings):
    """Settings of every process. Names without the prefix `SRE_SPACE_` are accepted where they are well known."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_file=".env", extra="ignore", env_ignore_empty=True, frozen=True, populate_by_name=True
    )

    mode: Mode = Field(
        Mode.EMBEDDED,
        validation_alias=AliasChoices(PREFIX + "ENV", "ENV"),
        description="Event bus: `embedded` (our own Redis), `local` (Kafka) or `cloud` (Redis Streams at `REDIS_URL`).",
    )
    state_dir: Path = Field(Path("var"), description="Folder for the embedded database, Redis, memory and logs.")
    repository: str | None = Field(
        None,
        pattern=r"^[A-Za-z0-9][A-Za-z0-9-]*/[A-Za-z0-9._-]+$",
        description="Repository (`owner/name`) in which incidents that telemetry shows are opened.",
    )
    incident_label: str = Field("incident", min_length=1, description="Label that makes an issue an incident.")
    github_api_url: str = Field(
        "https://api.github.com",
        validation_alias=known_as("GITHUB_API_URL"),
        pattern=r"^https?://",
        description="GitHub's API; `https://HOST/api/v3` for GitHub Enterprise Server.",
    )
    github_app_id: int | None = Field(
        None, validation_alias=known_as("GITHUB_APP_ID"), description="Id of the GitHub App."
    )
    github_private_key: SecretStr | None = Field(
        None,
        validation_alias=known_as("GITHUB_PRIVATE_KEY"),
        description="Private key of the App as PEM; `\\n` may stand for line breaks.",
    )
    github_private_key_file: Path | None = Field(
        None,
        validation_alias=known_as("GITHUB_PRIVATE_KEY_FILE"),
        description="File with the private key, instead of the key itself.",
    )
    github_webhook_secret: SecretStr | None = Field(
        None, validation_alias=known_as("GITHUB_WEBHOOK_SECRET"), description="Secret that signs the webhooks."
    )
    github_webhook_secret_previous: SecretStr | None = Field(
        None,
        validation_alias=known_as("GITHUB_WEBHOOK_SECRET_PREVIOUS"),
        description="The secret before, still accepted while it is being changed.",
    )
    database_url: SecretStr | None = Field(
        None,
        validation_alias=known_as("DATABASE_URL"),
        description="Database (`sqlite:///…`, `postgresql://…`). Unset: SQLite in the state folder.",
    )
    redis_url: SecretStr | None = Field(
        None,
        validation_alias=known_as("REDIS_URL"),
        description="Redis (`redis://…`, `rediss://…`, `unix://…`). Unset: `sre-space up` runs one of its own.",
    )
    kafka_bootstrap_servers: str | None = Field(
        None,
        validation_alias=known_as("KAFKA_BOOTSTRAP_SERVERS"),
        pattern=r"^[^\s,]+:\d{1,5}(,[^\s,]+:\d{1,5})*$",
        description="Kafka for `ENV=local`: `host:port`, with commas between several.",
    )
    chroma_path: Path | None = Field(
        None, description="Folder of the incident memory. Unset: `chroma` in the state folder."
    )
    chroma_url: str | None = Field(
        None,
        validation_alias=known_as("CHROMA_URL"),
        pattern=r"^https?://[^\s/]+/?$",
        description="Chroma server for the incident memory, needed for several workers. Unset: a folder.",
    )
    embedder: EmbedderKind = Field(
        EmbedderKind.HASHING,
        description="Embeddings of the incident memory: `hashing`, `sentence-transformers` or `onnx`.",
    )
    embedder_model: str | None = Field(
        None,
        description="Model for it: name or folder for sentence-transformers, folder for onnx. Unset: MiniLM-L6-v2.",
    )
    embedder_threshold: float | None = Field(
        None,
        gt=0,
        lt=1,
        description="Cosine distance below which incidents are alike. Unset: as measured for the model.",
    )
    llm_api_key: SecretStr | None = Field(
        None,
        validation_alias=known_as("LLM_API_KEY"),
        description="Key of an LLM for second opinions; local endpoints take any. Unset: no LLM.",
    )
    llm_model: str | None = Field(
        None, validation_alias=known_as("LLM_MODEL"), description="Name of the model, as its endpoint calls it."
    )
    llm_base_url: str = Field(
        "https://api.openai.com/v1",
        validation_alias=known_as("LLM_BASE_URL"),
        pattern=r"^https?://",
        description="Any endpoint that speaks OpenAI's chat completions.",
    )
    llm_budget_tokens: int = Field(
        30_000, ge=1_000, validation_alias=known_as("LLM_BUDGET_TOKENS"), description="Most tokens for one incident."
    )
    llm_budget_usd: float | None = Field(
        None,
        gt=0,
        validation_alias=known_as("LLM_BUDGET_USD"),
        description="Most US dollars for one incident; needs the prices. Unset: money is not counted.",
    )
    llm_budget_s: float = Field(
        30.0, gt=0, le=300, validation_alias=known_as("LLM_BUDGET_S"), description="Most seconds for one incident."
    )
    llm_price_in: float = Field(
        0.0, ge=0, validation_alias=known_as("LLM_PRICE_IN"), description="US dollars for a million tokens of prompt."
    )
    llm_price_out: float = Field(
        0.0, ge=0, validation_alias=known_as("LLM_PRICE_OUT"), description="US dollars for a million tokens of answer."
    )
    otlp_tokens: Annotated[dict[str, SecretStr], NoDecode] = Field(
        default_factory=dict[str, SecretStr],
        validation_alias=known_as("OTLP_TOKENS"),
        description="Bearer tokens for telemetry, `tenant=token,…`. Unset: no authentication, loopback only.",
    )
    scout_host: str = Field("127.0.0.1", description="Address on which Scout receives telemetry.")
    scout_port: int = Field(
        4318, ge=0, le=65535, description="Port of Scout: OTLP/HTTP and its query API. 0 picks a free one."
    )
    scout_grpc_port: Annotated[int, Field(ge=0, le=65535)] | Literal["off"] = Field(
        4317, description="Port of Scout's OTLP/gRPC. 0 picks a free one, `off` switches it off."
    )
    scout_config: Path | None = Field(
        None,
        description="YAML file with objectives and maintenance windows for Scout (docs/detection.md). Unset: none.",
    )
    web_host: str = Field("127.0.0.1", description="Address of webhooks and dashboard.")
    web_port: int = Field(8080, ge=0, le=65535, description="Port of webhooks and dashboard. 0 picks a free one.")
    dashboard_url: str | None = Field(
        None, pattern=r"^https?://", description="Address of the dashboard, as comments on GitHub link it."
    )
    dashboard_token: SecretStr | None = Field(
        None, min_length=16, description="Token to sign in to the dashboard with. Unset: it is on loopback only."
    )
    webhook_limit_mb: float = Field(
        25.0, gt=0, le=25, description="Largest webhook that is taken, in MB (GitHub sends at most 25)."
    )
    memory_limit_mb: int = Field(
        default=512,
        ge=64,
        validation_alias=known_as("MEMORY_LIMIT_MB"),
        description="Above this resident memory Scout answers telemetry with 503, and in a worker Jules waits.",
    )
    sweep_s: float = Field(
        1.0, ge=0.05, le=60, description="How often the sweeper looks for work that lost its wake-up, in seconds."
    )
    lease_s: float = Field(
        15.0, ge=1, le=600, description="How long a worker that died keeps others from its incident, in seconds."
    )
    worker_host: str = Field("127.0.0.1", description="Address of the worker's health and metrics.")
    worker_port: int | None = Field(
        None, ge=1, le=65535, description="Port of the worker's `/healthz`, `/readyz` and `/metrics`. Unset: none."
    )
    metrics_token: SecretStr | None = Field(
        None, min_length=16, description="Bearer token of `/metrics`. Unset: it is on loopback only."
    )
    otlp_endpoint: str | None = Field(
        None,
        validation_alias=known_as("OTEL_EXPORTER_OTLP_ENDPOINT"),
        pattern=r"^https?://",
        description="Where SRE-Space's own traces and metrics go (OTLP/HTTP). Unset: nowhere. Other `OTEL_*` variables "
        "are read by the OpenTelemetry SDK.",
    )
    log_json: bool = Field(default=False, description="Write logs as JSON, one object a line.")

    @field_validator("otlp_tokens", mode="before")
    @classmethod
    def _split_tokens(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        pairs = [pair.partition("=") for pair in value.split(",") if pair.strip()]
        if any(not tenant.strip() or not token.strip() for tenant, _, token in pairs):
            raise ValueError("must be written as tenant=token, with commas between several")
        return {tenant.strip(): token.strip() for tenant, _, token in pairs}

    @property
    def database(self) -> str:
        """Return the URL of the database that is used."""
        if self.database_url is None:
            return f"sqlite+aiosqlite:///{(self.state_dir / 'sre-space.db').resolve()}"
        return self.database_url.get_secret_value()

    @property
    def chroma(self) -> Path:
        """Return the folder of the incident memory that is used."""
        return self.chroma_path or self.state_dir / "chroma"

    @property
    def scout_url(self) -> str:
        """Return the address at which the other processes ask Scout."""
        return f"http://{reachable(self.scout_host)}:{self.scout_port}"

    @property
    def webhook_limit_bytes(self) -> int:
        """Return the largest webhook that is taken, in bytes."""
        return int(self.webhook_limit_mb * 1024 * 1024)

    def require_webhook_secrets(self) -> tuple[SecretStr, ...]:
        """Return the secrets that may have signed a webhook, the current one first.

        Raises:
            SettingsError: none is set.
        """
        if self.github_webhook_secret is None:
            raise SettingsError(
                "GITHUB_WEBHOOK_SECRET",
                "is not set",
                "It is the webhook secret on the GitHub App's settings page (Settings → Developer settings → "
                "GitHub Apps → your app → Webhook)",
            )
        both = (self.github_webhook_secret, self.github_webhook_secret_previous)
        return tuple(secret for secret in both if secret is not None)

    def require_github(self) -> GitHubCredentials:
        """Return what it takes to act as the GitHub App.

        Raises:
            SettingsError: something is not set, or the key file cannot be read.
        """
        if self.github_app_id is None:
            raise SettingsError(
                "GITHUB_APP_ID", "is not set", "It is the number called App ID on the GitHub App's settings page"
            )
        return GitHubCredentials(
            app_id=self.github_app_id,
            private_key=self._private_key(),
            webhook_secrets=self.require_webhook_secrets(),
        )

    def require_repository(self) -> tuple[str, str]:
        """Return owner and name of the repository in which incidents are opened.

        Raises:
            SettingsError: it is not set.
        """
        if self.repository is None:
            remedy = "Set it to the repository in which incidents are to be opened, as owner/name"
            raise SettingsError(f"{PREFIX}REPOSITORY", "is not set", remedy)
        owner, _, name = self.repository.partition("/")
        return owner, name

    def _private_key(self) -> SecretStr:
        if self.github_private_key is not None:
            return SecretStr(self.github_private_key.get_secret_value().replace("\\n", "\n"))
        where = "Generate it on the GitHub App's settings page (Private keys → Generate a private key)"
        if self.github_private_key_file is None:
            both = "GITHUB_PRIVATE_KEY or GITHUB_PRIVATE_KEY_FILE"
            raise SettingsError(both, "is not set", where)
        try:
            return SecretStr(self.github_private_key_file.read_text())
        except (OSError, UnicodeDecodeError) as error:
            problem = f"names a file that cannot be read ({error})"
            raise SettingsError("GITHUB_PRIVATE_KEY_FILE", problem, where) from error


def load_settings(**overrides: object) -> Settings:
    """Return the settings of the environment, with `overrides` by field name.

    Raises:
        SettingsError: a value cannot be used; names the variable, never the value.
    """
    try:
        return Settings(**overrides)  # pyright: ignore[reportArgumentType] -- checked by Pydantic
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        variable = variable_of(Settings, str(first["loc"][0]) if first["loc"] else "")
        raise SettingsError(variable, f"cannot be used: {first['msg']}", "See the table in the README") from None


def document() -> list[SettingRow]:
    """Return one row per setting: variable, default and meaning, for the README and the CLI."""
    return rows(Settings)
