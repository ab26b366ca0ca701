"""Embeddings by sentence-transformers, the `embeddings` extra; models are read from this machine only."""

import hashlib
import importlib
import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bot.adapters.memory.errors import EmbedderError
from bot.adapters.memory.essence import essence

DEFAULT_MODEL = "sentence-transformers/all-MiniLM-L6-v2"
INSTALL = "pip install torch==2.13.0 and then pip install sentence-transformers"

_FETCH = (
    f"Fetch it once (huggingface-cli download {DEFAULT_MODEL}), or set SRE_SPACE_EMBEDDER_MODEL to the folder with it"
)
_FINGERPRINT_CHARACTERS = 12
_MEASURED = {"63dad64873a6": 0.12}
"""Thresholds by fingerprint of the weights, measured by `make bench` on `tests/contract/memory_texts.json`."""


class SentenceEmbedder:
    """A sentence-transformers model. Its name holds a fingerprint of its weights, so it changes when they do.

    The threshold of all-MiniLM-L6-v2 is measured on `tests/contract/memory_texts.json`. In its tuning part texts of
    different failures are at least 0.158 apart; of six pairs on one failure four are at most 0.055 apart, and two, in
    free words, 0.167: they are missed rather than mistaken. On held-out texts: 0.091 and 0.215.
    """

    def __init__(self, model: str | None = None, threshold: float | None = None) -> None:
        """Load a model by name or folder.

        Raises:
            EmbedderError: the library or the model is not on this machine, or its threshold is not known.
        """
        self._model = _load(model or DEFAULT_MODEL)
        fingerprint = _fingerprint(self._model)
        measured = _MEASURED.get(fingerprint) if threshold is None else threshold
        if measured is None:
            raise EmbedderError(
                f"The distance threshold of the model {model} is not known",
                "Measure it (SRE_SPACE_EMBEDDER_MODEL=… make bench) and set SRE_SPACE_EMBEDDER_THRESHOLD, or use "
                "all-MiniLM-L6-v2",
            )
        self.name = f"sentence-transformers-{fingerprint}"
        self.threshold = measured

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """Return one unit vector per text; what a model does not read (after 256 tokens) does not count."""
        wanted = [essence(text) for text in texts]
        return self._model.encode(wanted, normalize_embeddings=True, show_progress_bar=False).tolist()


def _load(model: str) -> Any:
    if importlib.util.find_spec("sentence_transformers") is None:
        raise EmbedderError("SRE_SPACE_EMBEDDER is sentence-transformers, which is not installed", INSTALL)
    # optional, untyped, and seconds to import: only once it is known to be wanted
    library: Any = importlib.import_module("sentence_transformers")
    reports: Any = importlib.import_module("transformers.utils.logging")
    reports.disable_progress_bar()
    folder = _folder(model)
    try:
        return library.SentenceTransformer(folder, device="cpu", local_files_only=True)
    except (OSError, ValueError) as error:
        raise EmbedderError(f"The model in {folder} cannot be loaded ({error})", _FETCH) from error


def _folder(model: str) -> str:
    """Return the folder of a model; by its name it is looked for in the cache of huggingface_hub.

    Given a name, the library asks the network even when it is told to use local files only.
    """
    if Path(model).is_dir():
        return model
    hub: Any = importlib.import_module("huggingface_hub")
    name = model if "/" in model else f"sentence-transformers/{model}"
    cached: object = hub.try_to_load_from_cache(name, "modules.json")
    if not isinstance(cached, str):
        raise EmbedderError(f"The model {model} is not on this machine, and nothing is downloaded unasked", _FETCH)
    return str(Path(cached).parent)


def _fingerprint(model: Any) -> str:
    """Return a fingerprint of the weights that does not depend on how a library names or orders them."""
    weights = (value for value in model.state_dict().values() if value.is_floating_point())
    digests = sorted(hashlib.sha256(value.float().contiguous().numpy().tobytes()).digest() for value in weights)
    return hashlib.sha256(b"".join(digests)).hexdigest()[:_FINGERPRINT_CHARACTERS]
