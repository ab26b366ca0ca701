"""A text as a language model should read it: first the names that tell failures apart, then the words, no numbers."""

import re

from agents.markdown import plain

_TOKEN = re.compile(r"[^\W\d_][\w./:-]*[^\W_]")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_JOINT = re.compile(r"[._/:-]+")
_ID = re.compile(r"\b(?=[a-f]*\d)[0-9a-f]{7,40}\b")
_NUMBER = re.compile(r"\(?\b\d+(?:[.,]\d+)*(?:\s?(?:%|ms|s|times)(?=\W|$))?\)?")


def essence(text: str) -> str:
    """Return the identifiers of a text, each once and in words, and then the text without numbers and ids.

    A sentence model weighs all words alike, and most words of two root-cause summaries are the same; what differs
    between failures is where they happened, and what differs between two occurrences of one failure is the numbers.
    """
    line = _ID.sub("", plain(text))
    names = dict.fromkeys(token for token in _TOKEN.findall(line) if not token.isalpha() or _CAMEL.search(token))
    spoken = " ".join(_CAMEL.sub(" ", _JOINT.sub(" ", name)) for name in names)
    words = " ".join(_NUMBER.sub("", line).split())
    return f"{spoken}. {words}" if spoken else words
