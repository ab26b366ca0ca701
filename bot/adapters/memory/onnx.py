"""Embeddings by Chroma's ONNX form of all-MiniLM-L6-v2, once its files are on this machine."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from chromadb.utils.embedding_functions.onnx_mini_lm_l6_v2 import ONNXMiniLM_L6_V2

from bot.adapters.memory.errors import EmbedderError
from bot.adapters.memory.essence import essence

FILES = (
    "config.json",
    "model.onnx",
    "special_tokens_map.json",
    "tokenizer_config.json",
    "tokenizer.json",
    "vocab.txt",
)
"""What Chroma looks for before it downloads."""

_FINGERPRINT_CHARACTERS = 12


class OnnxEmbedder:
    """all-MiniLM-L6-v2 without PyTorch. The threshold is that of the same model in sentence-transformers.

    It was also measured with int8 weights: `make bench` prints the table.
    """

    def __init__(self, folder: str | None = None, threshold: float | None = None) -> None:
        """Load the model from a folder, by default the one in which Chroma keeps it.

        Raises:
            EmbedderError: its files are not there (Chroma would download them, this does not), or onnxruntime is not.
        """
        try:
            chroma: Any = ONNXMiniLM_L6_V2()
        except ValueError as error:
            raise EmbedderError(f"SRE_SPACE_EMBEDDER is onnx: {error}", "pip install onnxruntime tokenizers") from error
        path = Path(folder) if folder else Path(chroma.DOWNLOAD_PATH) / chroma.EXTRACTED_FOLDER_NAME
        missing = [name for name in FILES if not (path / name).is_file()]
        if missing:
            raise EmbedderError(
                f"The ONNX model is not in {path} ({', '.join(missing)} missing), and nothing is downloaded unasked",
                f"Unpack {chroma.MODEL_DOWNLOAD_URL} and set SRE_SPACE_EMBEDDER_MODEL to the folder with model.onnx",
            )
        chroma.DOWNLOAD_PATH, chroma.EXTRACTED_FOLDER_NAME = path.parent, path.name
        self._chroma = chroma
        weights = hashlib.sha256((path / "model.onnx").read_bytes()).hexdigest()
        self.name = f"onnx-{weights[:_FINGERPRINT_CHARACTERS]}"
        self.threshold = 0.12 if threshold is None else threshold

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """Return one unit vector of 384 numbers per text; what comes after 256 tokens does not count."""
        vectors: Any = self._chroma([essence(text) for text in texts])
        return [vector.tolist() for vector in vectors]
