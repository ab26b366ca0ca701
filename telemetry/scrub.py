"""Redaction: secrets, personal data and invisible characters leave every text that is kept."""

import re
from collections.abc import Callable

TEXT_MAX = 2_000
"""Longest text kept, in characters."""
NAME_MAX = 200
"""Longest name kept (operation, service, attribute value), in characters."""

_WORK_FACTOR = 4  # text beyond this many times the cap is cut before the patterns run

# C0 and C1 controls except tab and newline, zero-width and bidi marks, tag characters, lone surrogates.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff"
    "\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e0fff]"
)
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_SPACE = re.compile(r"\s+")

_KEY_WORDS = (
    r"passw(?:or)?d|passphrase|pwd|secret|token|api[_-]?key|apikey|access[_-]?key|account[_-]?key"
    r"|private[_-]?key|shared[_-]?key|credentials?|session[_-]?id|set-cookie|cookie"
)
_TOKEN_SHAPES = (
    r"eyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)?",  # JSON Web Token
    r"(?:AKIA|ASIA|ABIA|ACCA|AGPA|AIDA|ANPA|AROA)[A-Z0-9]{16}(?![A-Z0-9])",  # AWS
    r"gh[pousr]_\w{20,}|github_pat_\w{20,}|glpat-[\w-]{16,}",
    r"xox[abeoprs]-[\w-]{10,}|(?<=hooks\.slack\.com/services/)[\w/]{20,}",
    r"AIza[\w-]{30,}|ya29\.[\w-]{20,}",  # Google
    r"[sr]k_(?:live|test)_\w{10,}|whsec_\w{16,}",  # Stripe
    r"sk-[\w-]{20,}|hf_\w{20,}",  # model providers
    r"npm_\w{30,}|pypi-[\w-]{30,}|dop_v1_\w{32,}|SG\.[\w-]{16,}\.[\w-]{16,}",
)


def _passes_luhn(digits: str) -> bool:
    """Return whether the check digit is right (ISO/IEC 7812-1, annex B)."""
    doubled = (int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(digits)))
    return sum(n // 10 + n % 10 for n in doubled) % 10 == 0


def _card(match: re.Match[str]) -> str:
    digits = re.sub(r"\D", "", match.group())
    return "[redacted:card]" if _passes_luhn(digits) else match.group()


_RULES: tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...] = (
    (
        re.compile(r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----.*?(?:-----END [A-Z ]{0,30}-----|\Z)", re.DOTALL),
        "[redacted:key]",
    ),
    (re.compile(rf"(?<![A-Za-z0-9])(?:{'|'.join(_TOKEN_SHAPES)})"), "[redacted:token]"),
    (re.compile(r"(?i)\b([a-z][a-z0-9+.-]{0,20}://)(?!\[redacted)[^\s/?#]{1,512}@"), r"\1[redacted]@"),
    (
        re.compile(r"(?i)\b((?:basic|bearer)\s{1,4})(?!\[redacted)[\w.~+/-]{6,4096}={0,2}"),
        r"\1[redacted]",
    ),
    (
        re.compile(
            rf"(?i)((?:{_KEY_WORDS})[\w.-]{{0,40}}[\"']?\s{{0,4}}[=:]\s{{0,4}}(?:(?:basic|bearer)\s)?)"
            r"(?!\s{0,4}(?:(?:basic|bearer)\s)?[\"']?\[redacted)"
            r"(?:\"[^\"\n]*(?:\"|\Z)|'[^'\n]*(?:'|\Z)|[^\s\"',;&)}\]]+)"
        ),
        r"\1[redacted]",
    ),
    (
        re.compile(
            r"(?i)(\b(?:proxy-)?authorization[\"']?\s{0,4}[=:]\s{0,4}[\"']?)(?!\[redacted)"
            r"(?:(?:basic|bearer)\s\[redacted\]|[^\n\"',;]+)"
        ),
        r"\1[redacted]",
    ),
    (
        re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}(?![\w-])"),
        "[redacted:email]",
    ),
    (re.compile(r"(?<![\d.-])[2-6]\d{3}(?:[ -]?\d){9,15}(?![\d-])"), _card),
    (re.compile(r"(?<![\d-])\d{3}-\d{2}-\d{4}(?![\d-])"), "[redacted:ssn]"),
)


def visible(text: str) -> str:
    """Return the text without control, bidi and zero-width characters and without HTML comments."""
    return _COMMENT.sub(" ", _INVISIBLE.sub("", text))


def scrub(text: str, max_length: int = TEXT_MAX) -> str:
    """Return the text as it may be kept: visible characters, no secrets or personal data, capped.

    Known shapes only (keys of common providers, JWTs, private keys, passwords in URLs and after names such as
    `password=`, e-mail addresses, payment cards that pass Luhn): an unknown secret in prose is not recognised.
    """
    work = max_length * _WORK_FACTOR
    if len(text) > work:
        head, _, _ = text[:work].rpartition(" ")  # a secret cut in half would not be recognised
        text = head or text[:max_length]
    text = visible(text)
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    return text if len(text) <= max_length else text[: max_length - 1] + "…"


def scrub_name(text: str, max_length: int = NAME_MAX) -> str:
    """Return a scrubbed text on one line, for names and short values."""
    return scrub(_SPACE.sub(" ", text).strip(), max_length)
