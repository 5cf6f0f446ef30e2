"""Who says when an event began: the text and its annotators, or a model's guess of its order."""

from __future__ import annotations

from .timeline import Timeline

SURE = ("given", "text")


def bound_by(timeline: Timeline) -> dict[str, str]:
    """event -> "text" where every relation behind its bounds was annotated or stands in the text, and else "model".

    A date follows an event through others: one guess on the way makes the bound a guess.
    """
    said = {}
    for x in timeline.links:
        for r in (x.relation, x.relation.converse):
            said[r.source, r.label, r.target] = x.origin
    return {
        event: "text"
        if all(said.get((r.source, r.label, r.target), "given") in SURE for r in (*b.after, *b.before))
        else "model"
        for event, b in timeline.bounds.items()
    }
