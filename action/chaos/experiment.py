"""Experiment files: Chaos Toolkit's format, with an extension that says what SRE-Space is measured by."""

import re
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from action.errors import ExperimentError
from telemetry.model import Frozen

BUILT_IN = Path(__file__).parents[1] / "experiments"
SUFFIXES = frozenset({".yaml", ".yml", ".json"})
EXTENSION = "sre-space"
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,60}")


class Expected(BaseModel):
    """The cause that the analysis should name, by the service and the kind of its first candidate."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    service: str
    kind: str | None = None


class Limits(BaseModel):
    """How long detection and recovery may take, counted from the onset."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    ttd_s: float = Field(300, gt=0)
    ttr_s: float = Field(1800, gt=0)


class Extension(BaseModel):
    """The extension `sre-space` of an experiment. `blast_radius` are the services that may be hurt."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    fault: str = Field(pattern=f"^{_NAME.pattern}$")
    blast_radius: frozenset[str] = Field(min_length=1)
    expect: Expected | None = None
    limits: Limits = Field(default_factory=lambda: Limits.model_validate({}))


class Experiment(Frozen):
    """An experiment file that was read."""

    path: Path
    title: str
    spec: Extension


class _Document(BaseModel):
    title: str = Field(min_length=1)
    extensions: tuple[dict[str, object], ...] = ()
    rollbacks: tuple[dict[str, object], ...] = Field(min_length=1)


def built_in() -> tuple[str, ...]:
    """Return the names of the experiments that come with the Action."""
    return tuple(sorted(path.stem for path in BUILT_IN.iterdir() if path.suffix in SUFFIXES))


def find(given: str, workspace: Path) -> Path:
    """Return the file of an experiment: one of ours by its name, or a path below the workspace.

    Raises:
        ExperimentError: there is none, or the path leads out of the workspace.
    """
    if _NAME.fullmatch(given):
        names = [path for path in BUILT_IN.iterdir() if path.stem == given]
        if names:
            return names[0]
    root = workspace.resolve()
    path = (root / given).resolve()
    if not given or not path.is_relative_to(root) or not path.is_file() or path.suffix not in SUFFIXES:
        raise ExperimentError(given or "(none)", f"is neither a file of this repository nor one of: {_names()}")
    return path


def _names() -> str:
    return ", ".join(built_in())


def load(path: Path) -> Experiment:
    """Return an experiment; Chaos Toolkit itself checks the rest of it before it does anything.

    Raises:
        ExperimentError: it is no YAML or JSON, has no rollbacks, or lacks the extension.
    """
    try:
        document = _Document.model_validate(YAML(typ="safe").load(path.read_text(encoding="utf-8")))
        found = next((item for item in document.extensions if item.get("name") == EXTENSION), None)
        if found is None:
            raise ExperimentError(path.name, f"has no extension `{EXTENSION}`")
        return Experiment(path=path, title=document.title, spec=Extension.model_validate(found))
    except (OSError, UnicodeDecodeError, YAMLError) as error:
        raise ExperimentError(path.name, f"cannot be read: {error}") from error
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ExperimentError(path.name, f"is wrong at `{where}`: {first['msg']}") from error
