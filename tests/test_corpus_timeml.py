"""TimeML and what is annotated over it: invented documents here, and the counts of the real ones where they are."""

from __future__ import annotations

import io
import tarfile
import zipfile
from collections import Counter

import pytest

from rankwise.errors import BadFile, UnknownName
from rankwise.relations.corpora import causal_timebank, read
from rankwise.relations.schema import DOCUMENT_TIME
from tests.corpora import folder

TIMEML = """<?xml version="1.0" ?>
<TimeML>
<DOCID>a</DOCID>
<DCT><TIMEX3 tid="t0" type="DATE" value="2020-01-07" functionInDocument="CREATION_TIME">01/07/2020</TIMEX3></DCT>
<TEXT>They <EVENT eid="e1" class="OCCURRENCE">met</EVENT> on <TIMEX3 tid="t1" value="2020-01-06">Monday</TIMEX3>
 &amp; she <EVENT eid="e2" class="OCCURRENCE">left</EVENT>.
He <EVENT eid="e3" class="STATE">slept</EVENT>.</TEXT>
<MAKEINSTANCE eiid="ei7" eventID="e1"/><MAKEINSTANCE eiid="ei2" eventID="e3"/><MAKEINSTANCE eiid="ei3" eventID="e2"/>
<TLINK lid="l1" eventInstanceID="ei7" relatedToEventInstance="ei3" relType="IBEFORE"/>
<TLINK lid="l2" eventInstanceID="ei7" relatedToTime="t1" relType="IS_INCLUDED"/>
<TLINK lid="l3" timeID="t0" relatedToEventInstance="ei2" relType="INCLUDES"/>
<TLINK lid="l4" eventInstanceID="ei9" relatedToTime="t1" relType="AFTER"/>
<TLINK lid="l5" eventInstanceID="ei7" relatedToTime="t1" relType="NEAR"/>
<CLINK id="c1" eventInstanceID="ei7" relatedToEventInstance="ei3"/>
<CLINK id="c2" eventInstanceID="ei7" relatedToEventInstance="ei99"/>
</TimeML>
"""


@pytest.fixture
def place(tmp_path):
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "a.tml").write_text(TIMEML)
    return tmp_path


def test_text_spans_and_the_documents_time(place):
    (d,) = read("tlink", place).documents
    assert d.text == "They met on Monday\n & she left.\nHe slept."
    assert [d.surface(e.id) for e in d.events] == ["met", "left", "slept"]
    assert [(t.id, d.surface(t.id), t.value) for t in d.timexes] == [("t1", "Monday", "2020-01-06")]
    assert (d.created, len(d.sentences)) == ("2020-01-07", 3)


def test_links_become_start_points_and_what_does_not_resolve_is_named(place):
    corpus = read("tlink", place)
    said = [(r.source, r.target, r.label, r.original) for r in corpus.documents[0].relations]
    assert said == [
        ("e1", "e2", "BEFORE", "IBEFORE"),
        ("e1", "t1", "AFTER", "IS_INCLUDED"),
        (DOCUMENT_TIME, "e3", "BEFORE", "INCLUDES"),
    ]
    assert [(p.what, p.value) for p in corpus.problems] == [
        ("TLINK to an unknown id", "l4"),
        ("TLINK of unknown type", "l5"),
    ]


def test_matres_goes_through_instances_and_never_takes_an_instance_for_an_event(place):
    """Instance 2 is event e3, and instance 3 is event e2: a reader that mixes them up swaps the two."""
    lines = "a\tmet\tslept\t7\t2\tBEFORE\na\tleft\tslept\t3\t2\tVAGUE\na\tx\ty\t0\t2\tAFTER\nb\tx\ty\t1\t2\tAFTER\n"
    (place / "timebank.txt").write_text(lines + "a\tmet\tleft\t7\t3\tSOON\n")
    corpus = read("matres", place, sources=["timebank"])
    (d,) = corpus.documents
    assert [(r.source, r.target, r.label) for r in d.relations] == [("e1", "e3", "BEFORE"), ("e2", "e3", "VAGUE")]
    assert d.group == "timebank"
    assert {(p.document, p.what, p.value) for p in corpus.problems} == {
        ("a", "relation to an unknown instance", "0, 2"),
        ("b", "document without its text", "1 relations"),
        ("a", "unknown label", "SOON"),
    }
    assert len(read("matres", place, sources=["timebank"], without=["a"])) == 0


def test_an_archive_is_read_as_its_files_are(place, tmp_path_factory):
    packed = tmp_path_factory.mktemp("packed")
    with zipfile.ZipFile(packed / "texts.zip", "w") as archive:
        archive.write(place / "texts" / "a.tml", "in/side/a.tml")
    assert read("tlink", packed).documents == read("tlink", place).documents


@pytest.mark.parametrize("name", ["tlink", "causal-timebank"])
def test_a_document_to_leave_out_is_gone_and_a_misspelt_one_is_named(name, place):
    (place / "texts" / "b.tml").write_text(TIMEML)
    assert [d.id for d in read(name, place, without=["b"])] == ["a"]
    corpus = read(name, place, without=["b.tml"])
    assert [d.id for d in corpus] == ["a", "b"]
    assert [p.value for p in corpus.problems if p.what == "document to leave out that is not there"] == ["b.tml"]


def test_leaving_out_documents_of_a_wrong_folder_is_still_a_wrong_folder(tmp_path):
    with pytest.raises(BadFile, match="is not TimeML"):
        read("tlink", tmp_path, without=["a"])


def test_lines_of_another_shape_are_named(place):
    (place / "timebank.txt").write_text("a\tmet\tslept\t7\t2\na\tmet\tmet\t7\t7\tEQUAL\n")
    corpus = read("matres", place, sources=["timebank"], without=["z"])
    assert [(p.document, p.what) for p in corpus.problems] == [
        ("z", "document to leave out that is not there"),
        ("a", "line without six columns"),
        ("a", "relation of a thing with itself"),
    ]
    (place / "TimebankDense.T3.txt").write_text("a\te1\te2\na\te1\te1\ts\n")
    corpus = read("tb-dense", place, without=["z"])
    assert [(p.document, p.what) for p in corpus.problems] == [
        ("z", "document to leave out that is not there"),
        ("a", "line without four columns"),
        ("a", "relation of a thing with itself"),
    ]
    (place / "timebank.txt").write_bytes(b"a\tm\xe9t\tslept\t7\t2\tBEFORE\n")
    with pytest.raises(BadFile, match=r"timebank.txt is not UTF-8"):
        read("matres", place, sources=["timebank"])


def test_entities_fetch_nothing_and_do_not_explode(place):
    fetch = '<!DOCTYPE a [<!ENTITY a SYSTEM "file:///etc/hostname">]><TimeML><TEXT>&a;</TEXT></TimeML>'
    (place / "texts" / "a.tml").write_text(fetch)
    with pytest.raises(BadFile, match="undefined entity"):
        read("tlink", place)


def test_tb_dense_has_six_labels_times_and_the_documents_time(place):
    (place / "TimebankDense.T3.txt").write_text(
        "a\te1\tt0\tb\na\te2\te1\tii\na\tt1\te3\ts\na\te1\te99\tv\na\te1\te2\tq\n"
    )
    (place / "dev_docs.txt").write_text("a.tml\n")
    corpus = read("tb-dense", place)
    (d,) = corpus.documents
    assert [(r.source, r.target, r.label, r.original) for r in d.relations] == [
        ("e1", "t0", "BEFORE", "BEFORE"),
        ("e2", "e1", "AFTER", "IS_INCLUDED"),
        ("t1", "e3", "EQUAL", "SIMULTANEOUS"),
    ]
    assert d.group == "dev"
    assert len(corpus.problems) == 2
    assert len(read("tb-dense", place, split="dev")) == 1
    with pytest.raises(UnknownName, match="split='test' is not in"):
        read("tb-dense", place, split="test")


def test_causal_timebank_has_causes_and_keeps_the_tlinks(place):
    corpus = read("causal-timebank", place)
    (d,) = corpus.documents
    assert [(r.source, r.target, r.label) for r in d.of_kind("causal")] == [("e1", "e2", "CAUSES")]
    assert len(d.of_kind("temporal")) == 3
    assert ("CLINK to an unknown id", "c2") in {(p.what, p.value) for p in corpus.problems}


@pytest.mark.parametrize("name", ["tlink", "matres", "tb-dense", "causal-timebank"])
def test_a_wrong_folder_is_named_with_what_was_looked_for(name, tmp_path):
    with pytest.raises(BadFile, match=r"is not (.|\n)*(tml|T3)"):
        read(name, tmp_path)
    with pytest.raises(BadFile, match="is not there"):
        read(name, tmp_path / "none")
    with pytest.raises(BadFile, match="Name the folder of your own copy"):
        read(name)


def test_damaged_files_are_named(place):
    (place / "texts" / "b.tml").write_text("<TimeML><TEXT>")
    with pytest.raises(BadFile, match=r"b.tml is not well-formed XML"):
        read("tlink", place)
    (place / "texts" / "b.tml").write_text("<TimeML></TimeML>")
    with pytest.raises(BadFile, match=r"b.tml has no <TEXT>"):
        read("tlink", place)
    (place / "texts" / "b.tml").unlink()
    (place / "broken.zip").write_bytes(b"PK no")
    with pytest.raises(BadFile, match=r"broken.zip cannot be read"):
        read("tlink", place)


def packed(suffix, count=40):
    """An archive of many documents in it, no two compressed alike."""
    whole = io.BytesIO()
    contents = [TIMEML + " ".join(str(k * n * n % 9973) for k in range(2000)) for n in range(count)]
    if suffix == ".zip":
        with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
            for n, content in enumerate(contents):
                archive.writestr(f"{n}.tml", content)
    else:
        with tarfile.open(fileobj=whole, mode="w:xz") as archive:
            for n, content in enumerate(contents):
                info = tarfile.TarInfo(f"{n}.tml")
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content.encode()))
    return whole.getvalue()


@pytest.mark.parametrize("suffix", [".zip", ".tar.xz"])
def test_an_archive_damaged_inside_or_cut_is_named(suffix, tmp_path):
    content = bytearray(packed(suffix))
    (tmp_path / f"cut{suffix}").write_bytes(content[: len(content) // 2])
    with pytest.raises(BadFile, match=rf"cut{suffix} cannot be read"):
        read("tlink", tmp_path)
    (tmp_path / f"cut{suffix}").unlink()
    middle = len(content) // 2
    content[middle : middle + 60] = b"\xff" * 60
    (tmp_path / f"hurt{suffix}").write_bytes(content)
    with pytest.raises(BadFile, match=rf"hurt{suffix} cannot be read"):
        read("tlink", tmp_path)


def test_an_unknown_corpus_and_source_get_the_nearest(place):
    with pytest.raises(UnknownName, match="Nearest: matres"):
        read("matress", place)
    with pytest.raises(UnknownName, match="Nearest: timebank"):
        read("matres", place, sources=["timebnk"])


def events_of(corpus):
    return {(d.id, e.id) for d in corpus for e in d.events}


def between_events(corpus, kind="temporal"):
    known = events_of(corpus)
    return [r for d in corpus for r in d.of_kind(kind) if {(d.id, r.source), (d.id, r.target)} <= known]


def test_the_counts_of_matres_and_of_the_documents():
    corpus = read("matres", folder("matres-tempeval3"))
    assert (len(corpus), len(between_events(corpus)), len(corpus.problems)) == (255, 12736, 4)
    assert {p.document for p in corpus.problems} == {"WSJ910225-0066"}
    labels = Counter((d.group, r.label) for d in corpus for r in d.relations)
    assert labels["timebank", "BEFORE"] == 3229 - 1  # of the four that do not resolve, one is BEFORE and two are VAGUE
    assert labels["aquaint", "VAGUE"] + labels["timebank", "VAGUE"] == 676 + 855 - 2
    links = read("tlink", folder("matres-tempeval3"))
    assert links.counts() == {
        "documents": 256,
        "events": 6698 + 4431,
        "timexes": 1822,
        "temporal": 5119 + 5977 - 1,
        "causal": 0,
        "problems": 1,
    }
    assert len(between_events(links)) == 2519 + 2752


def test_the_counts_of_tb_dense():
    where, texts = folder("tb-dense"), folder("matres-tempeval3")
    assert read("tb-dense", where, texts=texts).counts()["temporal"] == 7776
    train, dev = (read("tb-dense", where, texts=texts, split=s) for s in ("train", "dev"))
    assert (len(train), len(dev)) == (22, 5)
    assert Counter(r.original for r in between_events(train)) == {
        "VAGUE": 2012,
        "BEFORE": 808,
        "AFTER": 674,
        "IS_INCLUDED": 273,
        "INCLUDES": 206,
        "SIMULTANEOUS": 59,
    }
    assert len(between_events(dev)) == 629


@pytest.mark.parametrize(("name", "left"), [("matres", 255 - 9), ("tlink", 256 - 9), ("causal-timebank", 183 - 9)])
def test_the_documents_that_tb_dense_tests_on_can_be_left_out_everywhere(name, left):
    names = (folder("tb-dense") / "HELD_OUT.txt").read_text().split()
    corpus = read(name, folder("causal-timebank" if name == "causal-timebank" else "matres-tempeval3"), without=names)
    assert (len(names), len(corpus)) == (9, left)
    assert not {d.id for d in corpus} & set(names)
    assert "document to leave out that is not there" not in {p.what for p in corpus.problems}


def test_the_counts_of_causal_timebank():
    corpus = read("causal-timebank", folder("causal-timebank"))
    assert (len(corpus), len(events_of(corpus)), len(between_events(corpus))) == (183, 6811, 2519)
    apart = Counter()
    for d in corpus:
        for r in d.of_kind("causal"):
            apart[abs(d.sentence_of(d.span(r.source)[0]) - d.sentence_of(d.span(r.target)[0]))] += 1
    assert apart == {0: 298, 1: 19, 2: 1}
    parts = causal_timebank.folds(corpus)
    assert sorted(name for part in parts for name in part) == sorted(d.id for d in corpus)
    assert {len(part) for part in parts} == {18, 19}
