"""Choosing pairs, and an adapter folder audited whole."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

import rankwise as rw
from rankwise.causal.audit import How
from rankwise.causal.audit_adapter import Asked, audit_adapter, scarce_first
from rankwise.causal.narratives import CUES, generate
from rankwise.errors import BadFile, DataError, UnknownName
from rankwise.methods import SoRA
from rankwise.relations.corpora.jsonl import write
from rankwise.relations.extract import FILE, settings
from rankwise.relations.model import heads
from rankwise.relations.schema import Document, Event
from tests import tiny
from tests.stories import WIDTH, base_model, stories

HOW = How(refuters=("placebo",), simulations=2, sensitive=False)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Two untrained extractors, shaken, 40 stories with labels, and texts of one sentence."""
    where = tmp_path_factory.mktemp("audit")
    model = rw.models.load(base_model(where / "base"))
    for seed in (0, 1):
        made = rw.new(model, SoRA(rank=2), ["query"], heads=heads(WIDTH), seed=seed)
        rw.save(tiny.shaken(made, seed), where / f"reader{seed}", extra={FILE: settings(40, ["x"])})
    write([case.document for case in generate(40, seed=0)], where / "docs.jsonl")
    write(stories(30), where / "short.jsonl")
    write([Document("d", "Ann sang.", (Event("a", 4, 8),))], where / "one.jsonl")
    return where


def asked(place, **options):
    return Asked(base=str(place / "base"), how=HOW, **options)


def test_an_adapter_and_another_beside_it(place):
    docs, said = place / "docs.jsonl", []
    how = asked(place, cues=("connective", "order"), tell=said.append)
    found = audit_adapter(place / "reader0", docs, how, against=place / "reader1")
    one, other = found.audits.values()
    assert one.cases == one.documents == 40
    assert [c.name for c in one.cues] == ["connective", "order"]
    assert len(one["order"].where) == 40
    assert one["order"].effect.value != other["order"].effect.value
    assert [b.name for b in found.beside] == ["connective", "order"]
    assert said[0].endswith("reader0: 40 pairs of events, each cue set both ways")
    assert set(found.report.data["audits"]) == {str(place / "reader0"), str(place / "reader1")}


def test_the_same_seed_gives_the_same_audit(place):
    one, other = (
        audit_adapter(place / "reader0", place / "docs.jsonl", asked(place, cues=("order",), pairs=25, seed=3))
        for _ in range(2)
    )
    first, second = (next(iter(f.audits.values())) for f in (one, other))
    assert first.cases == 25
    assert first.keys == second.keys
    assert first["order"].effect == second["order"].effect
    assert "25 of 40 pairs" in one.report.data["notes"][0]


def test_free_text_is_read_by_detectors_and_what_has_no_edit_is_counted(place):
    found = next(iter(audit_adapter(place / "reader0", place / "short.jsonl", asked(place)).audits.values()))
    assert found["order"].have == found.cases
    assert sum(found["order"].skipped.values()) + len(found["order"].where) == found.cases


def test_what_cannot_be_audited_is_refused(place):
    reader, docs = place / "reader0", place / "docs.jsonl"
    with pytest.raises(UnknownName, match="Nearest: tense"):
        audit_adapter(reader, docs, asked(place, cues=("tens",)))
    with pytest.raises(DataError, match="no document has two events"):
        audit_adapter(reader, place / "one.jsonl", asked(place))
    with pytest.raises(BadFile, match="given twice"):
        audit_adapter(reader, docs, asked(place), against=reader)


@dataclass(frozen=True)
class Every:
    """1 in every n-th story by number."""

    name: str
    n: int
    legitimate: bool = True

    def value(self, case):
        return 1 if int(case.document.id.rsplit("-", 1)[1]) % self.n == 0 else None

    def edit(self, case, value):
        return None


def test_rare_cues_are_taken_first_and_fill_half_at_most():
    cases = generate(400, seed=1)
    chosen = scarce_first(cases, [Every("rare", 40), CUES[1]], 100)
    assert len(chosen) == 100
    assert sum(Every("rare", 40).value(c) is not None for c in chosen) == 10
    assert [c.document.id for c in chosen] == [c.document.id for c in cases if c in chosen]
    rare = [Every("a", 11), Every("b", 12)]
    half = scarce_first(cases, rare, 40)
    assert sum(any(r.value(c) for r in rare) for c in half) >= 20
    assert len(scarce_first(cases, [CUES[1]], 40)) == 40
