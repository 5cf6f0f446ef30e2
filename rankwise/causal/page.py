"""The HTML of a causal report: one page, its style and its pictures inside it."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from typing import Any

STYLE = """
:root { color-scheme: light dark; --paper: #faf8f4; --sheet: #ffffff; --ink: #1f2430; --soft: #5d6575; --line: #ddd7cb;
  --band: #f3efe7; --alarm: #8f5a00; --alarm-soft: #fdf0d5; }
@media (prefers-color-scheme: dark) { :root { --paper: #14171d; --sheet: #1b1f27; --ink: #e8e6e1; --soft: #a9b0bd;
  --line: #2d333e; --band: #1f242d; --alarm: #f0bd62; --alarm-soft: #3a2f17; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 15px/1.55 ui-sans-serif, system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", Arial, sans-serif; }
main { max-width: 940px; margin: 0 auto; padding: 28px 22px 60px; }
h1, h2 { font-family: "Iowan Old Style", Palatino, Georgia, "Liberation Serif", serif; line-height: 1.2;
  overflow-wrap: anywhere; }
h1 { font-size: 28px; margin: 0 0 14px; }
h2 { font-size: 20px; margin: 34px 0 8px; padding-top: 14px; border-top: 1px solid var(--line); }
p { margin: 8px 0; overflow-wrap: anywhere; }
.caution { background: var(--alarm-soft); border-left: 4px solid var(--alarm); padding: 10px 16px; border-radius: 4px; }
nav { margin: 14px 0; color: var(--soft); } nav a { color: inherit; margin-right: 14px; }
.scroll { overflow-x: auto; margin: 12px 0; }
table { border-collapse: collapse; background: var(--sheet); font-size: 14px; font-variant-numeric: tabular-nums; }
th, td { padding: 5px 12px; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
th { background: var(--band); font-weight: 600; } .right { text-align: right; white-space: nowrap; }
caption, figcaption { caption-side: bottom; text-align: left; color: var(--soft); font-size: 13px; padding: 6px 0; }
figure { margin: 14px 0; } figure > div { overflow-x: auto; } figure svg { max-width: 100%; height: auto; }
figure.foreign > div { background: #ffffff; color: #1f2430; border-radius: 6px; }
code { background: var(--band); border-radius: 3px; padding: 1px 4px; font-size: 13px; }
footer { margin-top: 40px; color: var(--soft); font-size: 13px; }
@media print { body { background: none; } }
"""
OURS = "rankwise-drawing"  # the class of what draw.py makes, which takes the page's ink; all else gets a white sheet


def html_page(title: str, caution: str, sections: Sequence[tuple[str, list[tuple[str, Any]]]], foot: str) -> str:
    """The whole page.

    Args:
        sections: headings with their blocks: ("text", str), ("table", (columns, rows, right, caption)) or
            ("picture", (svg, caption)); rows are strings, right says which columns are set to the right.
    """
    out = [
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{_safe(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>",
        f'<h1>{_said(title)}</h1>\n<p class="caution">{_said(caution)}</p>',
    ]
    if len(sections) > 3:
        links = (f'<a href="#s{i}">{_said(heading)}</a>' for i, (heading, _) in enumerate(sections))
        out.append(f"<nav>{' '.join(links)}</nav>")
    pictures = 0
    for i, (heading, blocks) in enumerate(sections):
        out.append(f'<h2 id="s{i}">{_said(heading)}</h2>')
        for kind, what in blocks:
            pictures += kind == "picture"
            if kind == "picture":
                out.append(_picture(what[0], what[1], pictures))
            else:
                out.append(_paragraphs(what) if kind == "text" else _table(*what))
    return "\n".join([*out, f"<footer>{_safe(foot)}</footer>\n</main>\n</body>\n</html>\n"])


def _safe(text: str) -> str:
    return html.escape(text, quote=True)


def _said(text: str) -> str:
    """Escaped, with what stands in backticks as code."""
    parts = _safe(text).split("`")
    if len(parts) % 2 == 0:
        return "`".join(parts)
    return "".join(f"<code>{part}</code>" if i % 2 else part for i, part in enumerate(parts))


def _paragraphs(text: str) -> str:
    return "\n".join(f"<p>{_said(part)}</p>" for part in re.split(r"\n\s*\n", text.strip()))


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[bool], caption: str) -> str:
    def line(cells: Sequence[str], tag: str) -> str:
        kinds = (' class="right"' if r else "" for r in right)
        return "<tr>" + "".join(f"<{tag}{k}>{_said(c)}</{tag}>" for c, k in zip(cells, kinds, strict=True)) + "</tr>"

    title = f"<caption>{_said(caption)}</caption>" if caption else ""
    body = "\n".join(line(row, "td") for row in rows)
    return (
        f'<div class="scroll"><table>{title}<thead>{line(columns, "th")}</thead>\n<tbody>{body}</tbody></table></div>'
    )


def _picture(svg: str, caption: str, number: int) -> str:
    """The drawing inside the page; its ids are made its own, for two drawings of matplotlib share theirs."""
    svg = svg[svg.index("<svg") :].strip() if "<svg" in svg else ""
    own = f"p{number}-"
    svg = re.sub(r'\bid="([^"]+)"', rf'id="{own}\1"', svg)
    svg = re.sub(r'(href=")#|(url\()#', lambda m: f"{m[1] or m[2]}#{own}", svg)
    foreign = "" if OURS in svg[:300] else ' class="foreign"'
    said = f"<figcaption>{_said(caption)}</figcaption>" if caption else ""
    return f"<figure{foreign}><div>{svg}</div>{said}</figure>"
