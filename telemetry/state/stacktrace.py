"""Stack traces of Python, Java, Node and Go: the service's own frames, innermost first."""

import re
from collections.abc import Callable, Iterator, Mapping

from telemetry.model import Frame
from telemetry.scrub import scrub_name
from telemetry.state.attributes import first

TEXT_MAX = 16_384
"""Characters of a stack trace that are read: the end of a Python one, the start of others."""
FRAMES_MAX = 10
"""Own frames kept of a stack trace."""
_LINE_DIGITS = 10

_PYTHON = re.compile(r'^\s*File "([^"\n]{1,400})", line (\d{1,9}), in ([^\n]{1,200})$', re.MULTILINE)
_JAVA = re.compile(r"^\s*at ([\w.$/@-]{1,300})\.([\w$<>]{1,100})\(([^()\n:]{1,200})(?::(\d{1,9}))?\)", re.MULTILINE)
_NODE = re.compile(
    r"^\s*at (?:(?:async )?([^\n()]{1,200}?) \()?((?:file://)?/[^\n():]{1,400}):(\d{1,9}):\d{1,9}\)?$", re.MULTILINE
)
_GO = re.compile(r"^([\w./*()\[\]-]{1,300})\(.{0,300}\)\n\t([^\s:]{1,400}\.go):(\d{1,9})", re.MULTILINE)

_PYTHON_LIBRARY = re.compile(r"site-packages/|dist-packages/|/lib(?:64)?/python\d|^<|/importlib/")
_JAVA_LIBRARY = re.compile(
    r"^(?:java|javax|jakarta|jdk|sun|com\.sun|kotlin|kotlinx|scala|groovy|clojure\.core|reactor|io\.netty|io\.grpc"
    r"|io\.opentelemetry|io\.micrometer|io\.undertow|org\.springframework|org\.apache|org\.hibernate|org\.eclipse"
    r"|org\.jboss|org\.postgresql|com\.zaxxer|com\.mysql|com\.google\.common|com\.fasterxml|okhttp3|feign)\."
)
_NODE_LIBRARY = re.compile(r"/node_modules/|^node:|internal/")
_GO_LIBRARY = re.compile(r"/pkg/mod/|/vendor/|/usr/local/go/|/go\d[\d.]*/src/|/libexec/src/")
_CAUSE = re.compile(r"^\s*Caused by: ", re.MULTILINE)


def _python(text: str) -> Iterator[Frame]:
    _, _, last = text.rpartition("Traceback (most recent call last)")  # of a chain the exception that got out
    for path, line, function in reversed(_PYTHON.findall(last)):
        if not _PYTHON_LIBRARY.search(path):
            yield Frame(path=path, function=function, line=int(line))


def _java(text: str) -> Iterator[Frame]:
    *_, root = _CAUSE.split(text)
    for owner, function, file, line in _JAVA.findall(root):
        name = owner.rpartition("/")[2]
        if not _JAVA_LIBRARY.match(f"{name}."):
            package = name.rpartition(".")[0].replace(".", "/")
            path = f"{package}/{file}" if package and "." in file else file
            yield Frame(path=path, function=f"{name.rpartition('.')[2]}.{function}", line=int(line) if line else None)


def _node(text: str) -> Iterator[Frame]:
    for function, path, line in _NODE.findall(text):
        if not _NODE_LIBRARY.search(path):
            yield Frame(path=path.removeprefix("file://"), function=function or "<anonymous>", line=int(line))


def _go(text: str) -> Iterator[Frame]:
    for function, path, line in _GO.findall(text):
        if not _GO_LIBRARY.search(path) and not function.startswith("runtime."):
            yield Frame(path=path, function=function.rpartition("/")[2], line=int(line))


_PARSERS: tuple[tuple[re.Pattern[str], Callable[[str], Iterator[Frame]]], ...] = (
    (_PYTHON, _python),
    (_GO, _go),
    (_NODE, _node),
    (_JAVA, _java),
)


def own_frames(stacktrace: str) -> tuple[Frame, ...]:
    """Return up to ten frames of the service's own code, innermost first; none when nothing is recognised.

    Frames of packages, of the standard library and frozen modules are left out. Paths are as the process gave
    them, scrubbed: match them to files of a repository by their longest common suffix.
    """
    if len(stacktrace) > TEXT_MAX:
        is_python = 'File "' in stacktrace[:TEXT_MAX]
        stacktrace = stacktrace[-TEXT_MAX:] if is_python else stacktrace[:TEXT_MAX]
    for pattern, parse in _PARSERS:
        if pattern.search(stacktrace):
            return tuple(_clean(frame) for frame, _ in zip(parse(stacktrace), range(FRAMES_MAX), strict=False))
    return ()


SITE = frozenset(
    {
        *("code.file.path", "code.filepath"),
        *("code.function.name", "code.function", "code.namespace"),
        *("code.line.number", "code.lineno"),
    }
)
"""Attributes that `site_of` reads."""


def site_of(attributes: Mapping[str, str]) -> tuple[Frame, ...]:
    """Return the place that `code.*` names as the only frame; none when it names none or one of a library.

    Stable and older names of the semantic conventions ("code attributes"); older ones give the module apart.
    """
    function, module = first(attributes, "code.function.name", "code.function"), attributes.get("code.namespace", "")
    whole = f"{module}.{function}" if module and function and "code.function.name" not in attributes else function
    path = first(attributes, "code.file.path", "code.filepath")
    if not (whole or path) or _JAVA_LIBRARY.search(whole):
        return ()
    if any(library.search(path) for library in (_PYTHON_LIBRARY, _NODE_LIBRARY, _GO_LIBRARY)):
        return ()
    line = first(attributes, "code.line.number", "code.lineno")
    number = int(line) if line.isdecimal() and len(line) < _LINE_DIGITS else None
    return (_clean(Frame(path=path or module, function=whole, line=number)),)


def _clean(frame: Frame) -> Frame:
    return frame.model_copy(update={"path": scrub_name(frame.path, 400), "function": scrub_name(frame.function)})


def place_of(frame: Frame) -> str:
    """Return module and function for a signature: no line, and of the path only the last directory and the stem.

    Deployments unpack the same code into different directories, so that longer paths would make one failure many.
    """
    parts = frame.path.replace("\\", "/").split("/")[-2:]
    return f"{'/'.join(parts).rpartition('.')[0] or parts[-1]}:{frame.function}"
