"""CAT XML: an invented file by hand, the embedded MEANTIME by its counts, EventStoryLine where it is."""

from __future__ import annotations

import zipfile
from collections import Counter

import pytest

from rankwise.errors import BadFile, UnknownName
from rankwise.relations.corpora import eventstoryline, read
from rankwise.relations.corpora.cat import parse
from rankwise.relations.schema import DOCUMENT_TIME
from tests.corpora import folder

TOKENS = [
    ("http", 0),
    ("They", 1),
    ("met", 1),
    ("and", 1),
    ("did", 1),
    ("leave", 1),
    ("Rain", 2),
    ("fell", 2),
    (".", 2),
]


def cat(markables, relations, tokens=TOKENS):
    words = "".join(f'<token t_id="{i}" sentence="{s}" number="0">{w}</token>' for i, (w, s) in enumerate(tokens, 1))
    head, tail = '<?xml version="1.0"?><Document doc_name="a">', "</Document>"
    return f"{head}{words}<Markables>{markables}</Markables><Relations>{relations}</Relations>{tail}"


def mark(tag, key, *tokens, **fields):
    extra = "".join(f' {k}="{v}"' for k, v in fields.items())
    anchors = "".join(f'<token_anchor t_id="{t}"/>' for t in tokens)
    return f'<{tag} m_id="{key}"{extra}>{anchors}</{tag}>'


def link(tag, source, target, **fields):
    extra = "".join(f' {k}="{v}"' for k, v in fields.items())
    return f'<{tag} r_id="1"{extra}><source m_id="{source}"/><target m_id="{target}"/></{tag}>'


def test_tokens_are_joined_and_mentions_span_from_first_to_last():
    file = cat(
        mark("ACTION_OCCURRENCE", 1, 3) + mark("ACTION_STATE", 2, 3, 6) + mark("EVENT", 3), link("PLOT_LINK", 1, 2)
    )
    made = parse("a.xml", file.encode(), first_sentence=1)
    assert made.text == "They met and did leave Rain fell ."
    assert made.sentences == {1: (0, 22), 2: (23, 34)}
    assert {k: made.text[slice(*m.span)] for k, m in made.markables.items()} == {"1": "met", "2": "met and did leave"}
    assert set(made.without) == {"3"}
    assert [(x.tag, x.source, x.target) for x in made.links] == [("PLOT_LINK", "1", "2")]


def test_a_sentence_without_a_number_is_named():
    with pytest.raises(BadFile, match=r"a.xml: token 1 is in sentence 'first'"):
        parse("a.xml", cat("", "", [("They", "first")]).encode())


def meantime(tmp_path, markables, relations):
    place = tmp_path / "intra_cross-doc_annotation" / "corpus_gm"
    place.mkdir(parents=True)
    (place / "1_a.xml").write_text(cat(markables, relations))
    return read("meantime", tmp_path)


def test_meantimes_links_by_hand(tmp_path):
    marks = (
        mark("EVENT_MENTION", 1, 3, pos="VERB")
        + mark("EVENT_MENTION", 2, 6, pos="VERB")
        + mark("TIMEX3", 3, value="2020-01-07", functionInDocument="CREATION_TIME")
        + mark("TIMEX3", 4, 7, value="P1D", type="DURATION")
    )
    links = (
        link("TLINK", 1, 2, reltype="INCLUDES")
        + link("TLINK", 2, 3, reltype="IBEFORE")
        + link("TLINK", 4, 1, reltype="MEASURE")
        + link("TLINK", 1, 9, reltype="BEFORE")
        + link("CLINK", 2, 1)
        + link("SLINK", 2, 1)
    )
    corpus = meantime(tmp_path, marks, links)
    (d,) = corpus.documents
    assert [(r.source, r.target, r.label, r.kind, r.original) for r in d.relations] == [
        ("e1", "e2", "BEFORE", "temporal", "INCLUDES"),
        ("e2", DOCUMENT_TIME, "BEFORE", "temporal", "IBEFORE"),
        ("e2", "e1", "CAUSES", "causal", "CLINK"),
    ]
    assert (d.created, d.group, d.linked) == ("2020-01-07", "gm", (0, len(d.text)))
    assert [p.value for p in corpus.problems] == ["1, 9"]


def test_meantime_inside_the_package_has_its_counts():
    corpus = read("meantime")
    assert corpus.embeddable
    assert corpus.counts() == {
        "documents": 120,
        "events": 2699,
        "timexes": 488,
        "temporal": 1789 - 26 - 1,  # MEASURE, and one markable that is not there
        "causal": 50,
        "problems": 1,
    }
    events = {(d.id, e.id) for d in corpus for e in d.events}
    between = [r for d in corpus for r in d.of_kind("temporal") if {(d.id, r.source), (d.id, r.target)} <= events]
    assert len(between) == 762
    assert Counter(r.original for r in between)["SIMULTANEOUS"] == 202
    assert Counter(d.group for d in corpus) == {"airbus": 30, "apple": 30, "gm": 30, "stock": 30}
    assert sum(not d.created for d in corpus) == 2
    inside = [d for d in corpus for r in d.of_kind("causal") if d.linked[1] >= d.span(r.source)[1]]
    assert len(inside) == 50


def story(tmp_path, table, marks=None, links=""):
    place = tmp_path / "annotated_data" / "v0.9" / "7"
    place.mkdir(parents=True)
    marks = marks or mark("ACTION_OCCURRENCE", 1, 3) + mark("NEG_ACTION_STATE", 2, 5, 6) + mark(
        "ACTION_CAUSATIVE", 4, 8
    )
    (place / "7_1.xml.xml").write_text(cat(marks + mark("ACTION_OCCURRENCE", 9, 3), links))
    gold = tmp_path / "evaluation_format" / "full_corpus" / "v0.9" / "event_mentions_extended" / "7"
    gold.mkdir(parents=True)
    (gold / "7_1.tab").write_text(table)
    return tmp_path


def test_event_story_lines_pairs_by_hand(tmp_path):
    where = story(tmp_path, "3\t5_6\tPRECONDITION\n5_6\t8\tFALLING_ACTION\n3\t8\tnull\n3\t2\tPRECONDITION\n")
    corpus = read("eventstoryline", where)
    (d,) = corpus.documents
    assert (d.text, d.group) == ("They met and did leave Rain fell .", "7")
    assert [d.surface(e.id) for e in d.events] == ["met", "did leave", "fell"]  # two mentions of one extent are one
    assert [(d.surface(r.source), d.surface(r.target), r.label, r.original) for r in d.relations] == [
        ("met", "did leave", "CAUSES", "PRECONDITION"),
        ("did leave", "fell", "CAUSED_BY", "FALLING_ACTION"),
        ("met", "fell", "CAUSES", "null"),
    ]
    assert [p.value for p in corpus.problems] == ["3, 2"]


def test_event_story_lines_own_links(tmp_path):
    links = link("PLOT_LINK", 1, 2, relType="PRECONDITION") + link("PLOT_LINK", 2, 4, relType="")
    links += link("PLOT_LINK", 1, 77, relType="PRECONDITION") + link("PLOT_LINK", 9, 2, relType="PRECONDITION")
    where = story(tmp_path, "", links=links)
    corpus = read("eventstoryline", where, links="plot")
    (d,) = corpus.documents
    assert [(d.surface(r.source), d.surface(r.target)) for r in d.relations] == [("met", "did leave")]
    assert [(p.what, p.value) for p in corpus.problems] == [
        ("PLOT_LINK without a type", "2, 4"),
        ("PLOT_LINK to what is no event", "1, 77"),
        ("pair said again", "3, 5_6"),
    ]
    with pytest.raises(UnknownName, match="links='all'"):
        read("eventstoryline", where, links="all")


def test_event_story_line_guesses_no_label_and_names_what_contradicts(tmp_path):
    lines = ["3\t8\tPRECONDITION", "3\t8\tFALLING_ACTION", "8\t3\tFALLING_ACTION", "3\t5_6\tRISING", "3\t5_6"]
    where = story(tmp_path, "\n".join([*lines, "x\t8\tPRECONDITION"]))
    gold = where / "evaluation_format" / "full_corpus" / "v0.9" / "event_mentions_extended" / "7"
    (gold / "7_2.tab").write_text("3\t8\tPRECONDITION\n")
    corpus = read("eventstoryline", where)
    assert [(r.label, r.original) for r in corpus.documents[0].relations] == [("CAUSES", "PRECONDITION")]
    assert [(p.document, p.what, p.value) for p in corpus.problems] == [
        ("7_2", "pairs without their document", "topic 7"),
        ("7_1", "line without three columns", "3\t5_6"),
        ("7_1", "pair with two labels", "3, 8"),
        ("7_1", "pair said again", "8, 3"),
        ("7_1", "unknown label", "RISING"),
        ("7_1", "pair of tokens that are no event", "x, 8"),
    ]


def test_event_story_line_names_mentions_outside_the_text_and_no_descriptors(tmp_path):
    marks = mark("ACTION_STATE", 1, 3) + mark("ACTION_STATE", 2, 1) + mark("ACTION_STATE", 4)
    corpus = read("eventstoryline", story(tmp_path, "", marks))
    assert [(p.what, p.value) for p in corpus.problems] == [("event without a place in the text", "2")]


def test_event_story_line_beside_its_own_archive_is_read_once(tmp_path):
    where = story(tmp_path, "3\t8\tPRECONDITION\n")
    alone = read("eventstoryline", where)
    with zipfile.ZipFile(where / "all.zip", "w") as archive:
        for path in sorted(where.rglob("7_1.*")):
            archive.write(path, "copy/" + path.relative_to(where).as_posix())
    assert read("eventstoryline", where) == alone


@pytest.mark.parametrize("name", ["meantime", "eventstoryline", "because", "semeval-2010-8", "uds-time"])
def test_a_wrong_folder_is_named(name, tmp_path):
    with pytest.raises(BadFile, match=r"is not (.|\n)*there is no"):
        read(name, tmp_path)


def test_the_counts_of_event_story_line():
    corpus = read("eventstoryline", folder("eventstoryline"))
    assert corpus.counts() == {
        "documents": 258,
        "events": 5334,
        "timexes": 0,
        "temporal": 0,
        "causal": 5625,
        "problems": 0,
    }
    assert Counter(r.original for d in corpus for r in d.relations) == {
        "FALLING_ACTION": 2893,
        "PRECONDITION": 2709,
        "null": 23,
    }
    plot = read("eventstoryline", folder("eventstoryline"), links="plot")
    assert plot.counts()["causal"] == 2266 - 14 - 9
    assert Counter(p.what for p in plot.problems) == {"PLOT_LINK without a type": 14, "pair said again": 9}
    same = sum(
        d.sentence_of(d.span(r.source)[0]) == d.sentence_of(d.span(r.target)[0]) for d in corpus for r in d.relations
    )
    assert same == 1770
    parts = eventstoryline.folds(corpus)
    assert [len(part) for part in parts] == [4] * 5
    assert len({topic for part in parts for topic in part} | set(eventstoryline.DEVELOPMENT)) == 22
