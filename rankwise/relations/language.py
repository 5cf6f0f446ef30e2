"""In which language a text is: a guess, for a remark. py3langid is small, has its model inside, and asks nobody."""

from __future__ import annotations

import re
from functools import cache

from py3langid.langid import MODEL_FILE, LanguageIdentifier

SAMPLE = 4000  # characters that the guess looks at
WORDS = re.compile(r"[^\W\d_]+")
ENGLISH = {"the", "and", "that", "with", "by", "from", "were", "has", "have", "which", "this", "been", "would", "its"}
ENGLISH |= {"their", "they"}
ENOUGH, SHARE, ARTICLES = 50, 0.1, 0.03
"""Of words of a text, of those in ENGLISH among them (.08 to .2 in MEANTIME's articles), and of "the" alone."""


def language(text: str) -> tuple[str, float]:
    """ISO 639-1 code of the likeliest language, and its probability; ("en", 0.0) for a text without letters."""
    if not any(c.isalpha() for c in text):
        return "en", 0.0
    if _surely_english(text[:SAMPLE]):
        return "en", 1.0
    code, p = _identifier().classify(text[:SAMPLE])
    return str(code), float(p)


def _surely_english(text: str) -> bool:
    """Whether the commonest words leave no doubt; unpacking the identifier's model takes longer than a short text."""
    words = WORDS.findall(text.lower())
    common = sum(word in ENGLISH for word in words)
    return len(words) >= ENOUGH and common >= SHARE * len(words) and words.count("the") >= ARTICLES * len(words)


@cache
def _identifier() -> LanguageIdentifier:
    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
