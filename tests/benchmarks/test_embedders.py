"""How well each embedder tells failures apart; thresholds of the incident memory come from here."""

import os
import sys

import pytest

from bot.adapters.memory import Embedder, HashingEmbedder, OnnxEmbedder, SentenceEmbedder
from tests.contract.test_memory import TEXTS, distances
from tests.support_chroma import minilm_folder, onnx_folder

pytestmark = pytest.mark.bench


@pytest.mark.parametrize("kind", ["hashing", "sentence-transformers", "onnx"])
def test_distances_of_paraphrases_and_of_other_failures(kind, tmp_path):
    """Print distances within and between failures; SRE_SPACE_EMBEDDER_MODEL measures a model of one's own."""
    own = os.environ.get("SRE_SPACE_EMBEDDER_MODEL") if kind == "sentence-transformers" else None
    embedder: Embedder = HashingEmbedder()
    if kind == "sentence-transformers":
        embedder = SentenceEmbedder(own, 1.0) if own else SentenceEmbedder(str(minilm_folder()))
    elif kind == "onnx":
        embedder = OnnxEmbedder(str(onnx_folder(tmp_path / "onnx")))
    rows = [
        f"\n{embedder.name}, threshold {embedder.threshold}",
        "texts      same failure: pairs, max, recalled   others: pairs, min, mistaken",
    ]
    for part in TEXTS:
        same, other = distances(embedder, part)
        recalled, mistaken = (sum(d < embedder.threshold for d in found) for found in (same, other))
        rows.append(
            f"{part:9} {len(same):20} {max(same):6.3f} {recalled:9} {len(other):14} {min(other):6.3f} {mistaken:9}"
        )
        assert own or mistaken == 0
    sys.stdout.write("\n".join(rows) + "\n")
