"""What `.github/sre-space.yml` may say: which services live where, which knobs may be turned, who approves."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, ValidationError, field_validator, model_validator
from pydantic_core import PydanticCustomError, to_json

from agents.config_problems import explain
from agents.config_yaml import Document
from agents.diagnosis import CauseKind
from agents.errors import ConfigError
from agents.incident import RepoRef
from agents.paths import matches, path_problem
from agents.plan import Risk
from agents.ports import ForgeReader
from agents.remedies.protected import protected
from telemetry.model import Frozen

CONFIG_PATH = ".github/sre-space.yml"

_Seconds = Annotated[int, Field(ge=1, le=86_400)]


def _glob(value: str) -> str:
    problem = path_problem(value)
    if problem:
        raise PydanticCustomError("path", "{problem}", {"problem": problem})
    return value


def _file(value: str) -> str:
    _glob(value)
    if "*" in value or "?" in value:
        raise PydanticCustomError("path", "{problem}", {"problem": "must name one file, without wildcards"})
    if protected(value):
        raise PydanticCustomError("path", "{problem}", {"problem": "is a file that SRE-Space never edits"})
    return value


class Autonomy(StrEnum):
    """How far the bot goes on its own, from the least to the most; it never merges without a person."""

    OBSERVE = "observe"
    DRY_RUN = "dry-run"
    PROPOSE = "propose"
    APPROVE = "approve"


DOES: Mapping[Autonomy, str] = {
    Autonomy.OBSERVE: "I explain incidents, and change nothing",
    Autonomy.DRY_RUN: "I say what I would do, and change nothing",
    Autonomy.PROPOSE: "I propose fixes, but do not merge them",
    Autonomy.APPROVE: "I propose fixes, and merge those that were approved",
}
"""What SRE-Space does at each level, as a clause."""


class Slo(Frozen):
    """What a service promises: a ratio of good requests, and a latency."""

    availability: float | None = Field(default=None, gt=0, lt=1, allow_inf_nan=False)
    latency_ms: float | None = Field(default=None, gt=0, allow_inf_nan=False)


class Knob(Frozen):
    """A number in a settings file that the bot may raise up to `maximum` when a cause in `remedies` is found."""

    name: str = Field(min_length=1, max_length=100)
    file: Annotated[str, AfterValidator(_file)]
    path: str = Field(min_length=1, max_length=200, description="Keys from the top of the file, with dots.")
    maximum: int = Field(ge=1, le=2**53)
    remedies: tuple[CauseKind, ...] = Field(min_length=1)


class ServiceConfig(Frozen):
    """One service, named in the configuration by its `service.name`."""

    paths: tuple[Annotated[str, AfterValidator(_glob)], ...] = Field(min_length=1, max_length=100)
    depends_on: tuple[str, ...] = ()
    slo: Slo = Slo()
    knobs: tuple[Knob, ...] = Field(default=(), max_length=50)

    @field_validator("knobs")
    @classmethod
    def _knobs_differ(cls, knobs: tuple[Knob, ...]) -> tuple[Knob, ...]:
        names = [knob.name for knob in knobs]
        places = [f"{knob.file}: {knob.path}" for knob in knobs]
        for values in (names, places):
            twice = next((value for value in values if values.count(value) > 1), None)
            if twice:
                raise PydanticCustomError("twice", "names {what} twice", {"what": twice})
        return knobs

    @model_validator(mode="after")
    def _knobs_are_inside(self) -> "ServiceConfig":
        for knob in self.knobs:
            if not self.owns(knob.file):
                raise PydanticCustomError(
                    "outside",
                    "has the knob file {file}, which is not within the service's `paths`",
                    {"file": knob.file},
                )
        return self

    def owns(self, path: str) -> bool:
        """Return whether `path` belongs to this service."""
        return any(matches(path, glob) for glob in self.paths)


class ApprovalRule(Frozen):
    """How many people must approve, and the permission each of them needs on the repository."""

    count: int = Field(ge=1, le=10)
    permission: Literal["write", "maintain", "admin"] = "write"


class Approvals(Frozen):
    """Who must approve, by the risk of a remedy."""

    low: ApprovalRule = ApprovalRule(count=1, permission="write")
    high: ApprovalRule = ApprovalRule(count=2, permission="maintain")

    def rule(self, risk: Risk) -> ApprovalRule:
        """Return the rule for `risk`."""
        return self.low if risk is Risk.LOW else self.high


class VerificationConfig(Frozen):
    """When a fix counts as verified. Durations are in seconds."""

    window_s: _Seconds = 60
    windows: int = Field(default=5, ge=1, le=1000)
    min_requests: int = Field(default=20, ge=1, description="Fewer requests in a window are no data.")
    deploy_timeout_s: _Seconds = 1800
    recovery_timeout_s: _Seconds = 900

    @model_validator(mode="after")
    def _can_succeed(self) -> "VerificationConfig":
        needed = self.window_s * self.windows
        if needed > self.recovery_timeout_s:
            raise PydanticCustomError(
                "impossible",
                "can never succeed: {windows} windows of {window_s} s need {needed} s, "
                "`recovery_timeout_s` is {timeout}",
                {
                    "windows": self.windows,
                    "window_s": self.window_s,
                    "needed": needed,
                    "timeout": self.recovery_timeout_s,
                },
            )
        return self


class RepoConfig(Frozen):
    """The whole of `.github/sre-space.yml`."""

    version: Literal[1]
    autonomy: Autonomy = Field(
        default=Autonomy.APPROVE,
        description=(
            "observe: explain only; dry-run: explain, and say what would be done, without doing it; "
            "propose: open the pull request of a fix, for people to merge; approve: merge it once it is approved."
        ),
    )
    services: dict[str, ServiceConfig] = Field(min_length=1, max_length=500)
    approvals: Approvals = Approvals()
    verification: VerificationConfig = VerificationConfig()

    def service(self, name: str) -> ServiceConfig | None:
        """Return the service with that `service.name`, or None."""
        return self.services.get(name)


def parse(text: str, path: str = CONFIG_PATH) -> RepoConfig:
    """Return the configuration that `text` holds.

    Raises:
        ConfigError: it is no YAML or says something unknown or impossible; each problem starts with
            `path` and its line, and names the nearest word that exists.
    """
    try:
        document = Document(text)
    except ConfigError as error:
        raise _at(path, error.problems) from error
    if document.data is None:
        raise _at(path, ("line 1: the file is empty; it needs at least `version` and `services`",))
    try:
        return RepoConfig.model_validate_json(to_json(document.data), strict=True)
    except ValidationError as error:
        raise _at(path, explain(error, document, RepoConfig.model_json_schema())) from error


def _at(path: str, problems: tuple[str, ...]) -> ConfigError:
    """Return the error that says of each problem in which file it is."""
    return ConfigError(tuple(f"{path}{', ' if problem.startswith('line ') else ': '}{problem}" for problem in problems))


async def load(forge: ForgeReader, repo: RepoRef, ref: str | None = None) -> tuple[RepoConfig, str]:
    """Return the configuration at `ref` (default: the head of the default branch) and its blob SHA.

    Raises:
        ConfigError: it cannot be used, or is `missing`.
    """
    if ref is None:
        _, ref = await forge.default_branch(repo)
    found = await forge.file(repo, CONFIG_PATH, ref)
    if found is None:
        raise ConfigError((f"{CONFIG_PATH} does not exist on the default branch",), missing=True)
    return parse(found.content), found.blob_sha


def json_schema() -> dict[str, object]:
    """Return the JSON Schema (draft 2020-12) of `.github/sre-space.yml`, for editors."""
    schema = RepoConfig.model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "sre-space.yml"}
