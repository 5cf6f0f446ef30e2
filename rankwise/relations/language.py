"""In which language a text is: a guess, for a remark. py3langid is small, has its model inside, and asks nobody."""

from __future__ import annotations

from functools import cache

from py3langid.langid import MODEL_FILE, LanguageIdentifier

SAMPLE = 4000  # characters that the guess looks at


def language(text: str) -> tuple[str, float]:
    """ISO 639-1 code of the likeliest language, and its probability; ("en", 0.0) for a text without letters."""
    if not any(c.isalpha() for c in text):
        return "en", 0.0
    code, p = _identifier().classify(text[:SAMPLE])
    return str(code), float(p)


@cache
def _identifier() -> LanguageIdentifier:
    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
