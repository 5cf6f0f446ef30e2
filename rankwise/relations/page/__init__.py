"""One HTML page that shows a timeline: it holds its style, its script and its data, and asks no network for anything.

Every word of a user's text travels as JSON and enters the page as text, never as markup. A content security policy
allows the page's own script and style, by their hashes, and nothing else.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
from importlib import resources

from ..sentences import whole
from ..timeline import Timeline
from .facts import facts

SCRIPTS = ("base.js", "chart.js", "panel.js", "view.js")


def to_html(timeline: Timeline, title: str = "") -> str:
    """The page as text. title: by default the document's id."""
    title = title or timeline.document.id
    script = "\n".join(["(() => {", '"use strict";', *(_part(name) for name in SCRIPTS), "})();"])
    style = _part("page.css")
    parts = {
        "title": html.escape(whole(title)),
        "policy": f"default-src 'none'; script-src '{_hash(script)}'; style-src '{_hash(style)}'; img-src data:",
        "style": style,
        "script": script,
        "data": _harmless(json.dumps({"title": title, **facts(timeline)}, ensure_ascii=False, separators=(",", ":"))),
    }
    page = _part("page.html")
    pieces = page.split("@@")  # text, name, text, name, ..., text: one pass, so no text of a user is looked at again
    return "".join(parts[piece] if at % 2 else piece for at, piece in enumerate(pieces))


def _part(name: str) -> str:
    return (resources.files(__package__) / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _harmless(data: str) -> str:
    """JSON that cannot end the element that it stands in, or begin another."""
    for character in "<>&\u2028\u2029":
        data = data.replace(character, f"\\u{ord(character):04x}")
    return whole(data)
