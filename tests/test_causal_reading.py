"""A reading gives the words of a text by place, with tags, sentence by sentence."""

from __future__ import annotations

from rankwise.causal.reading import reading
from rankwise.relations.schema import Document


def test_a_reading_gives_words_by_place() -> None:
    document = Document("d", "She left. He had gone.", sentences=((0, 9), (10, 22)))
    read = reading(document)
    assert [w.said for w in read.sentence(1)] == ["He", "had", "gone", "."]
    assert [w.said for w in read.between(4, 13)] == ["left", ".", "He"]
    assert read.words[read.index(10)].said == "He"
    assert reading(Document("e", "She left. He had gone.")).sentences[1] == (10, 22)


def test_tags_are_those_of_each_sentence_alone() -> None:
    alone = reading(Document("d", "She left.", sentences=((0, 9),))).words
    both = reading(Document("d", "He had gone. She left.", sentences=((0, 12), (13, 22)))).sentence(1)
    assert [w.tag for w in alone] == [w.tag for w in both] == ["PRP", "VBD", "."]
    assert [w.sentence for w in both] == [1, 1, 1]


def test_an_empty_text_has_no_words() -> None:
    assert reading(Document("d", "")).words == ()
