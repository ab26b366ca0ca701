"""Inputs of the Action and what GitHub Actions says of the run, from the environment, in one place."""

from enum import StrEnum
from pathlib import Path

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from action.errors import InputError

PREFIX = "INPUT_"
MIN_PERIOD_S = 0.2


class Mode(StrEnum):
    """What the Action does."""

    CHAOS = "chaos"
    RESPOND = "respond"


class Until(StrEnum):
    """How far an experiment waits for SRE-Space."""

    DETECTION = "detection"
    ANALYSIS = "analysis"
    PROPOSAL = "proposal"
    RECOVERY = "recovery"


class FailOn(StrEnum):
    """Which decision fails the step."""

    NEVER = "never"
    FAIL = "fail"
    ABORT = "abort"


class Inputs(BaseSettings):
    """Inputs of `action.yml`, each passed as `INPUT_<NAME>`."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore", env_ignore_empty=True, frozen=True)

    mode: Mode
    token: SecretStr
    label: str = "incident"
    bot_login: str = ""
    fail_on: FailOn = FailOn.FAIL

    experiment: str = ""
    injector_url: str = Field("", pattern=r"^(https?://.*)?$")
    injector_token: SecretStr = SecretStr("")
    target_url: str = Field("", pattern=r"^(https?://.*)?$")
    until: Until = Until.RECOVERY
    ttl_s: float | None = Field(None, gt=0, le=3600)
    detection_timeout_s: float = Field(300, gt=0)
    max_duration_s: float = Field(1800, gt=0, le=3600)
    poll_s: float = Field(5, ge=MIN_PERIOD_S, le=60)

    state: Path | None = None
    telemetry: str = ""
    scout_url: str = Field("", pattern=r"^(https?://.*)?$")
    scout_token: SecretStr = SecretStr("")
    environment: str = "default"
    marker_secret: SecretStr = SecretStr("")
    max_wait_s: float = Field(900, ge=0, le=21_600)

    @property
    def lease_s(self) -> float:
        """Return the time to live of a fault: a minute longer than the run may last, where it is not given."""
        return self.ttl_s or min(self.max_duration_s + 60, 3600)


class Runner(BaseSettings):
    """What GitHub Actions sets for every step."""

    model_config = SettingsConfigDict(env_prefix="GITHUB_", extra="ignore", env_ignore_empty=True, frozen=True)

    api_url: str = "https://api.github.com"
    server_url: str = "https://github.com"
    repository: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9-]*/[A-Za-z0-9._-]+$")
    event_name: str = ""
    event_path: Path | None = None
    output: Path | None = None
    step_summary: Path | None = None
    run_id: str = "0"
    run_attempt: str = "1"
    workspace: Path = Path()


class Machine(BaseSettings):
    """Where the runner keeps files for the length of a job."""

    model_config = SettingsConfigDict(env_prefix="RUNNER_", extra="ignore", env_ignore_empty=True, frozen=True)

    temp: Path = Path("var")


class Context:
    """Everything that is given to a run."""

    def __init__(self, inputs: Inputs, runner: Runner, machine: Machine) -> None:
        self.inputs = inputs
        self.runner = runner
        self.folder = machine.temp / "sre-space"

    @property
    def journal(self) -> Path:
        """Return the file of the experiment's journal."""
        return self.folder / "journal.json"

    @property
    def progress(self) -> Path:
        """Return the file in which an experiment notes what it has seen."""
        return self.folder / "milestones.json"


def load_context() -> Context:
    """Return the context of this step.

    Raises:
        InputError: an input, or something that GitHub Actions should have set, is missing or wrong.
    """
    try:
        return Context(Inputs(), Runner(), Machine())  # pyright: ignore[reportCallIssue] -- from the environment
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        name = "-".join(str(part) for part in first["loc"]).replace("_", "-") or "mode"
        raise InputError(name, f"cannot be used: {first['msg']}") from None
