"""Embedders with models: what is missing is said, what was not measured is refused, and nothing is downloaded."""

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bot.adapters.memory import EmbedderError, HashingEmbedder, MemoryMismatchError, SentenceEmbedder
from bot.adapters.memory.essence import essence
from bot.app.memory import make_embedder, open_incident_memory
from bot.settings import EmbedderKind, Settings
from tests.contract.test_memory import TEXT, case
from tests.requirements import ROOT
from tests.support_chroma import minilm_folder

OFFLINE = """
import socket, sys
def refuse(*args, **kwargs): raise SystemExit("network")
socket.socket.connect = socket.create_connection = socket.getaddrinfo = refuse
from bot.adapters.memory import EmbedderError, OnnxEmbedder, SentenceEmbedder
for make in (OnnxEmbedder, SentenceEmbedder):
    try:
        make()
    except EmbedderError as error:
        print(error)
SentenceEmbedder(sys.argv[1]).embed(["with the model at hand, too"])
"""


def test_a_model_that_is_not_here_is_an_error_and_never_a_download(tmp_path):
    """Neither form of the model is fetched behind the user's back; both say how to get it."""
    command = [sys.executable, "-c", OFFLINE, str(minilm_folder())]
    home = {"HOME": str(tmp_path), "HF_HOME": str(tmp_path)}
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
    done = subprocess.run(command, cwd=ROOT, env={**environment, **home}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    onnx, sentences = done.stdout.strip().splitlines()
    assert "model.onnx" in onnx
    assert "set SRE_SPACE_EMBEDDER_MODEL to the folder" in onnx
    assert "huggingface-cli download" in sentences


def test_without_the_extra_its_installation_is_named(monkeypatch):
    """The library is optional: asking for it without having it is a plain error."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(EmbedderError, match=r"not installed.*pip install torch"):
        SentenceEmbedder("any")


def test_a_model_that_was_not_measured_needs_a_threshold(tmp_path):
    """Other weights, other distances: the threshold of MiniLM is not lent to them."""
    folder = Path(shutil.copytree(minilm_folder(), tmp_path / "tuned"))
    weights = folder / "model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1000:] = bytes(1000)
    weights.write_bytes(bytes(content))
    with pytest.raises(EmbedderError, match=r"threshold.*not known.*SRE_SPACE_EMBEDDER_THRESHOLD"):
        SentenceEmbedder(str(folder))
    tuned = SentenceEmbedder(str(folder), 0.2)
    assert tuned.threshold == 0.2
    assert tuned.name != SentenceEmbedder(str(minilm_folder())).name


def test_the_essence_of_a_text_is_its_names_and_its_words_without_numbers():
    """Names of code come first, once each, in words; counts, durations, shares and ids are gone."""
    text = "quote failed 190 times in bulk_discount (a/b.py) at 3f9a2c81d07e: 40 % of 480, NullPointerException, 815 ms"
    assert essence(text) == (
        "bulk discount a b py Null Pointer Exception. "
        "quote failed in bulk_discount (a/b.py) at : of , NullPointerException,"
    )


async def test_the_settings_choose_embedder_and_place(tmp_path):
    """Hashing in a folder unless told; MiniLM by its setting, and a memory of the other is refused."""
    plain = Settings(state_dir=tmp_path, mode="embedded")
    assert make_embedder(plain).name == HashingEmbedder.name
    async with open_incident_memory(plain) as memory:
        await memory.remember(case())
    model = {"embedder": EmbedderKind.SENTENCE_TRANSFORMERS, "embedder_model": str(minilm_folder())}
    asked = plain.model_copy(update=model)
    assert make_embedder(asked).name == "sentence-transformers-63dad64873a6"
    with pytest.raises(MemoryMismatchError):
        async with open_incident_memory(asked):
            pass
    elsewhere = asked.model_copy(update={"chroma_path": tmp_path / "new"})
    async with open_incident_memory(elsewhere) as memory:
        await memory.remember(case())
        found = await memory.nearest(7, "default", service="quote", kind="db_pool_exhaustion", text=TEXT)
    assert found is not None
