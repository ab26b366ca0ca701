"""Log bodies to log sites: the place in the code that writes a record, or the words that it always writes.

Words with a digit, and what follows a bracket, quote or equals sign, vary from record to record and are masked. This is
Drain's idea of a template (He et al., ICWS 2017) without its tree: fixed rules need no memory and no order of records.
"""

import re

import msgspec

_HEAD = 200
_WORDS = 8
_PLACE = re.compile(r"[A-Za-z_$\[\]][\w.$\[\]/-]*#\d+|[\w/]+\.[A-Za-z]{1,4}:\d+")
_LABELLED_ID = re.compile(r"\b[\w.]+[:=] ?[0-9a-f]{16,32}\b ?")
_VARYING = re.compile(r"[\[{(\"'=<].*", re.DOTALL)
_DIGITS = re.compile(r"\b(?=\w*\d)[\w.:-]+")
_MESSAGES = ("message", "msg", "body", "event")
_JSON = msgspec.json.Decoder(dict[str, object])


def site_of(body: str) -> str:
    """Return where a record was written, such as `c.s.ContactsServiceImpl#31`, else its masked first eight words."""
    head = body[:_HEAD]
    place = _PLACE.search(head)
    if place:
        return place.group()
    if body.startswith("{"):
        head = _message(body)[:_HEAD]
    head = _VARYING.sub("", _LABELLED_ID.sub("", head))
    return " ".join(_DIGITS.sub("*", head).split()[:_WORDS])


def _message(body: str) -> str:
    try:
        fields = _JSON.decode(body)
    except (msgspec.DecodeError, UnicodeError):
        return body
    return next((value for key in _MESSAGES if isinstance(value := fields.get(key), str)), body)
