"""The port for embeddings, and the deterministic default that needs no model."""

import hashlib
import math
import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Protocol

from agents.markdown import plain

_MASKS = (
    (re.compile(r"\b(?=[a-f]*\d)[0-9a-f]{7,40}\b"), " hexid "),
    (re.compile(r"\d+(?:[.,]\d+)*"), " num "),
)
_TOKEN = re.compile(r"[^\W\d_][\w./:-]*[^\W_]")
_WORD = re.compile(r"[^\W_]+")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_STOP = frozenset(
    re.findall(
        r"\w+",
        "a an and are as at be been before but by for from has have in is it its no not of on only or since so that "
        "the their then they this times to was were when which while with num requests failed",
    )
)
_CHARACTER_GRAM = 4
_WEIGHTS = {"identifier": 3.0, "word": 1.0, "pair": 0.25, "part": 0.25}
"""Identifiers of code name a failure, words only describe it. Chosen on `tuning` of `memory_texts.json`."""


class Embedder(Protocol):
    """Turns texts into unit vectors. `threshold` is the cosine distance below which two incidents are alike."""

    @property
    def name(self) -> str:
        """Return a name that changes whenever the vectors do: it becomes part of collection names."""
        ...

    @property
    def threshold(self) -> float:
        """Return the cosine distance, in [0, 2], measured for this embedder."""
        ...

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """Return one vector per text. Blocking: call it in a thread."""
        ...


class HashingEmbedder:
    """Feature hashing (Weinberger et al., 2009) of words, word pairs and character 4-grams, with signs, L2-normalised.

    It knows no meaning, only shared words and parts of words; numbers and ids are masked, because they differ from one
    incident to the next. The same text has the same vector on every machine, and nothing is ever downloaded.

    The threshold is measured on `tests/contract/memory_texts.json`: texts of one failure are at most 0.361 apart,
    of different failures at least 0.411.
    """

    name = "hashing-v1"
    dimensions = 384
    threshold = 0.38

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """Return one unit vector of 384 numbers per text; a text without any word has a constant one."""
        return [self._vector(text) for text in texts]

    def _vector(self, text: str) -> list[float]:
        vector = [0.0] * self.dimensions
        for feature, weight in _weights(text).items():
            digest = int.from_bytes(hashlib.blake2b(feature.encode(), digest_size=8).digest(), "big")
            sign = 1.0 if digest >> 63 else -1.0
            vector[digest % self.dimensions] += sign * weight
        length = math.sqrt(sum(value * value for value in vector))
        if length == 0:
            return [1 / math.sqrt(self.dimensions)] * self.dimensions
        return [value / length for value in vector]


def _weights(text: str) -> dict[str, float]:
    """Return the features of a text, each counted once, with their weights."""
    return {f"{kind} {value}": _WEIGHTS[kind] for kind, value in _features(text)}


def _features(text: str) -> Iterator[tuple[str, str]]:
    masked = plain(text)
    for pattern, mask in _MASKS:
        masked = pattern.sub(mask, masked)
    for token in _TOKEN.findall(masked):
        if not token.isalpha() or _CAMEL.search(token):
            yield "identifier", token.lower()
    words = [word for word in _WORD.findall(_CAMEL.sub(" ", masked).lower()) if word not in _STOP]
    yield from (("word", word) for word in words)
    yield from (("pair", f"{one} {two}") for one, two in pairwise(words))
    for word in words:
        padded = f"<{word}>"
        for start in range(len(padded) - _CHARACTER_GRAM + 1):
            yield "part", padded[start : start + _CHARACTER_GRAM]
