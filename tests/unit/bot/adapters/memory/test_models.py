"""Embedders with a model, over stand-ins of their libraries: what is missing is said, and nothing is downloaded."""

import types

import pytest

from bot.adapters.memory import EmbedderError, HashingEmbedder, OnnxEmbedder, SentenceEmbedder, onnx, sentences
from bot.adapters.memory.essence import essence
from bot.adapters.memory.onnx import FILES
from bot.app.memory import make_embedder
from bot.settings import load_settings

TEXT = "QueuePool limit of size 5 reached 17 times in shop/database.py"


class Tensor:
    """Weights, as torch would give them."""

    def __init__(self, content):
        self.content = content

    def is_floating_point(self):
        """Return whether they are weights at all."""
        return self.content is not None

    def itself(self):
        """Return them in the form that is asked for."""
        return self

    float = contiguous = numpy = itself

    def tobytes(self):
        """Return their bytes."""
        return self.content


class Vectors(list):
    """A matrix of numpy, as far as it is used."""

    tolist = list.copy


class Model:
    """A sentence model with weights and without meaning."""

    def __init__(self, *weights):
        self.weights, self.read = weights, []

    def state_dict(self):
        """Return weights by name."""
        return {str(number): Tensor(content) for number, content in enumerate(self.weights)}

    def encode(self, texts, **options):
        """Note what is read."""
        self.read.append((texts, options))
        return Vectors([[1.0, 0.0]] * len(texts))


@pytest.fixture
def library(monkeypatch):
    """The libraries: `models` are those on this machine by folder, `cached` finds folders by name."""
    found = types.SimpleNamespace(models={}, cached={}, opened=[])

    def load(folder, **options):
        found.opened.append((folder, options))
        if folder not in found.models:
            raise OSError("no modules.json")
        return found.models[folder]

    modules = {
        "sentence_transformers": types.SimpleNamespace(SentenceTransformer=load),
        "transformers.utils.logging": types.SimpleNamespace(disable_progress_bar=lambda: None),
        "huggingface_hub": types.SimpleNamespace(try_to_load_from_cache=lambda name, _: found.cached.get(name)),
    }
    monkeypatch.setattr(sentences.importlib.util, "find_spec", lambda name: name)
    monkeypatch.setattr(sentences.importlib, "import_module", modules.__getitem__)
    return found


def test_a_model_is_loaded_from_its_folder_and_reads_the_essence_of_texts(library, tmp_path):
    """From this machine only; vectors are of length 1."""
    library.models[str(tmp_path)] = model = Model(b"weights", None)
    embedder = SentenceEmbedder(str(tmp_path), threshold=0.2)
    assert library.opened == [(str(tmp_path), {"device": "cpu", "local_files_only": True})]
    assert embedder.embed([TEXT]) == [[1.0, 0.0]]
    assert model.read == [([essence(TEXT)], {"normalize_embeddings": True, "show_progress_bar": False})]
    assert embedder.threshold == 0.2


def test_its_name_changes_with_its_weights_and_not_with_their_order(library, tmp_path):
    """Vectors of other weights must not be compared."""
    names = []
    for weights in ((b"a", b"b"), (b"b", b"a"), (b"a", b"c")):
        library.models[str(tmp_path)] = Model(*weights)
        names.append(SentenceEmbedder(str(tmp_path), threshold=0.2).name)
    assert names[0] == names[1] != names[2]
    assert names[0].startswith("sentence-transformers-")


@pytest.mark.parametrize(
    ("model", "name"),
    [
        (None, "sentence-transformers/all-MiniLM-L6-v2"),
        ("tuned", "sentence-transformers/tuned"),
        ("me/tuned", "me/tuned"),
    ],
)
def test_a_name_is_looked_up_in_the_cache_of_this_machine(library, monkeypatch, model, name):
    """The library itself would ask the network."""
    library.cached[name] = "/cache/model/modules.json"
    library.models["/cache/model"] = Model(b"weights")
    assert SentenceEmbedder(model, threshold=0.2).threshold == 0.2
    assert library.opened[0][0] == "/cache/model"


def test_a_model_that_is_not_here_is_an_error_with_the_command_that_fetches_it(library):
    """And no download."""
    with pytest.raises(EmbedderError, match="is not on this machine, and nothing is downloaded unasked") as caught:
        SentenceEmbedder("all-MiniLM-L6-v2")
    assert "huggingface-cli download sentence-transformers/all-MiniLM-L6-v2" in caught.value.remedy
    assert library.opened == []


def test_a_folder_without_a_model_is_an_error_with_the_reason(library, tmp_path):
    """The reason is the library's."""
    with pytest.raises(EmbedderError, match=r"cannot be loaded \(no modules.json\)"):
        SentenceEmbedder(str(tmp_path))


def test_a_model_that_was_not_measured_needs_a_threshold(library, tmp_path):
    """The threshold of MiniLM is not lent to other weights."""
    library.models[str(tmp_path)] = Model(b"other weights")
    with pytest.raises(EmbedderError, match=r"distance threshold of the model .* is not known") as caught:
        SentenceEmbedder(str(tmp_path))
    assert "set SRE_SPACE_EMBEDDER_THRESHOLD" in caught.value.remedy


def test_without_the_library_its_installation_is_named(monkeypatch):
    """It is optional."""
    monkeypatch.setattr(sentences.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(EmbedderError, match="which is not installed") as caught:
        SentenceEmbedder()
    assert caught.value.remedy == sentences.INSTALL


class Onnx:
    """Chroma's embedding function."""

    DOWNLOAD_PATH = "/nowhere"
    EXTRACTED_FOLDER_NAME = "onnx"
    MODEL_DOWNLOAD_URL = "https://example.org/onnx.tar.gz"

    def __init__(self):
        self.read = []

    def __call__(self, texts):
        """Note what is read."""
        self.read += texts
        return [Vectors([0.0, 1.0]) for _ in texts]


def test_the_onnx_model_is_read_from_a_folder_and_named_by_its_weights(monkeypatch, tmp_path):
    """Chroma is told where it is, so that it does not look for it elsewhere."""
    monkeypatch.setattr(onnx, "ONNXMiniLM_L6_V2", Onnx)
    for name in FILES:
        (tmp_path / name).write_text(name)
    embedder = OnnxEmbedder(str(tmp_path))
    assert embedder.embed([TEXT]) == [[0.0, 1.0]]
    assert embedder._chroma.read == [essence(TEXT)]
    assert (tmp_path.parent, tmp_path.name) == (embedder._chroma.DOWNLOAD_PATH, embedder._chroma.EXTRACTED_FOLDER_NAME)
    assert embedder.threshold == 0.12
    (tmp_path / "model.onnx").write_text("other weights")
    assert OnnxEmbedder(str(tmp_path), 0.3).name != embedder.name


def test_a_folder_without_the_onnx_model_names_what_is_missing(monkeypatch, tmp_path):
    """Chroma would download it: we do not even let it try."""
    monkeypatch.setattr(onnx, "ONNXMiniLM_L6_V2", Onnx)
    (tmp_path / "vocab.txt").touch()
    with pytest.raises(EmbedderError, match=r"model\.onnx.*missing\), and nothing is downloaded unasked") as caught:
        OnnxEmbedder(str(tmp_path))
    assert "vocab.txt" not in caught.value.problem
    assert caught.value.remedy.startswith("Unpack https://example.org/onnx.tar.gz")
    with pytest.raises(EmbedderError, match="not in /nowhere/onnx"):
        OnnxEmbedder()


def test_a_missing_onnxruntime_is_named_with_its_installation(monkeypatch):
    """Chroma raises a ValueError."""

    def broken():
        raise ValueError("The onnxruntime python package is not installed")

    monkeypatch.setattr(onnx, "ONNXMiniLM_L6_V2", broken)
    with pytest.raises(EmbedderError, match="SRE_SPACE_EMBEDDER is onnx: The onnxruntime") as caught:
        OnnxEmbedder()
    assert caught.value.remedy == "pip install onnxruntime tokenizers"


def test_the_setting_chooses_the_embedder_with_its_model_and_threshold(library, monkeypatch, tmp_path):
    """Each of the three kinds."""
    monkeypatch.setattr(onnx, "ONNXMiniLM_L6_V2", Onnx)
    for name in FILES:
        (tmp_path / name).touch()
    library.models[str(tmp_path)] = Model(b"weights")
    kinds = {"hashing": HashingEmbedder, "onnx": OnnxEmbedder, "sentence-transformers": SentenceEmbedder}
    for kind, expected in kinds.items():
        settings = load_settings(_env_file=None, embedder=kind, embedder_model=str(tmp_path), embedder_threshold=0.25)
        made = make_embedder(settings)
        assert isinstance(made, expected)
        assert made.threshold == (0.38 if kind == "hashing" else 0.25)


@pytest.mark.parametrize(
    ("text", "read"),
    [
        (TEXT, "Queue Pool shop database py. QueuePool limit of size reached in shop/database.py"),
        ("pool full 12 times (4,5 s) at 3f2a9c1d", "pool full at"),
    ],
)
def test_a_model_reads_names_first_and_no_numbers(text, read):
    """Numbers and ids tell two occurrences apart, not two failures."""
    assert essence(text) == read
