"""The corpora inside the package: whole, balanced, without leaks, and with their licence beside them."""

from __future__ import annotations

import json
import lzma
import re
import shutil
import subprocess
import sys
import zipfile
from collections import Counter
from importlib.resources import files
from pathlib import Path

import pytest

from rankwise import data
from rankwise.errors import BadFile, UnknownName

ROWS = {"train": 8530, "dev": 1066, "test": 1066}


@pytest.mark.parametrize("split", data.SPLITS)
def test_each_split_has_its_rows_half_of_each_label(split):
    texts, labels = data.sentence_polarity(split)
    assert len(texts) == len(labels) == ROWS[split]
    assert Counter(labels) == {"negative": ROWS[split] // 2, "positive": ROWS[split] // 2}


def test_all_splits_together_are_the_released_corpus():
    together = Counter(label for split in data.SPLITS for label in data.sentence_polarity(split)[1])
    assert together == {"negative": 5331, "positive": 5331}
    texts = set().union(*(data.sentence_polarity(split)[0] for split in data.SPLITS))
    assert len(texts) == 10662  # no snippet occurs twice
    assert "simplistic , silly and tedious ." in texts


def words(text):
    """Letters and digits in order: two snippets that differ in punctuation or case are one."""
    return " ".join(re.findall(r"\w+", text.lower())) or text


def test_no_snippet_is_in_two_splits_not_even_with_other_punctuation():
    seen = {split: set(map(words, data.sentence_polarity(split)[0])) for split in data.SPLITS}
    assert not seen["train"] & seen["test"]
    assert not seen["train"] & seen["dev"]
    assert not seen["dev"] & seen["test"]


def test_texts_are_clean():
    for split in data.SPLITS:
        for text in data.sentence_polarity(split)[0]:
            assert text == text.strip() != ""
            assert not re.search(r"[\x00-\x1f\x7f-\x9f\ufffd]", text), text


def test_the_order_mixes_the_labels():
    for split in data.SPLITS:
        head = data.sentence_polarity(split)[1][:200]
        assert 60 < head.count("positive") < 140  # 100 expected, one standard deviation is 7


def test_an_unknown_split_names_the_known_ones():
    with pytest.raises(UnknownName, match=r"split='tests' .*\n.*train, dev, test. Nearest: test"):
        data.sentence_polarity("tests")


def test_an_unknown_corpus_names_the_known_ones():
    with pytest.raises(UnknownName, match=r"corpus='polarity' is not embedded.*\n.*sentence-polarity"):
        data.corpus("polarity", "train")
    assert data.corpus("sentence-polarity", "dev") == data.sentence_polarity("dev")


@pytest.mark.parametrize("name", data.EMBEDDED)
def test_every_corpus_carries_its_licence_and_source(name):
    folder = files(data) / name.replace("-", "_")
    licence, source = (folder / "LICENSE").read_text("utf-8"), (folder / "SOURCE.md").read_text("utf-8")
    assert "CC BY 4.0" in licence
    assert "Disclaimer of Warranties" in licence  # the whole text, not a notice
    assert "Pang" in licence
    assert "Changes made here" in source
    assert "8,530" in source


def test_the_script_makes_these_rows_from_the_lines_it_is_given(tmp_path):
    """On a small release of the same form: shares, repaired dashes, copies kept together."""
    script = Path(__file__).parents[1] / "scripts" / "embed_sentence_polarity.py"
    home = tmp_path / "scripts"
    home.mkdir()
    shutil.copy(script, home)
    lines = {
        "neg": [f"bad film {i} . " for i in range(48)] + ["what a mess . ", "what a mess ! "],
        "pos": [f"good \x96 film {i} . " for i in range(50)],
    }
    with zipfile.ZipFile(tmp_path / "corpus.zip", "w") as archive:
        for name, rows in lines.items():
            archive.writestr(f"sentence_polarity/rt-polarity.{name}", "\n".join(rows) + "\n")
    command = [sys.executable, str(home / script.name), str(tmp_path / "corpus.zip")]
    said = subprocess.run(command, capture_output=True, text=True, check=True, encoding="utf-8").stdout
    assert "100 rows; copies: 0 exact, 1 but for punctuation" in said
    assert "train: 80 {'negative': 40, 'positive': 40}" in said
    assert "dev: 10 {'negative': 5, 'positive': 5}" in said
    where = {}
    for split in data.SPLITS:
        packed = tmp_path / "rankwise" / "data" / "sentence_polarity" / f"{split}.jsonl.xz"
        for line in lzma.decompress(packed.read_bytes()).decode().splitlines():
            where[json.loads(line)["text"]] = split
    assert where["what a mess ."] == where["what a mess !"]
    assert "good \u2013 film 0 ." in where


def test_a_damaged_file_says_how_to_repair_it(tmp_path):
    package = tmp_path / "rankwise"
    shutil.copytree(files(data), package / "data", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(Path(str(files(data))).parent / "errors.py", package)
    file = package / "data" / "sentence_polarity" / "dev.jsonl.xz"
    file.write_bytes(file.read_bytes()[:1000])
    code = "from rankwise.data import sentence_polarity as s\ntry: s('dev')\nexcept ValueError as e: print(e)"
    said = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True).stdout
    assert "dev.jsonl.xz of the installed package is missing or damaged" in said
    assert "To repair: pip install --force-reinstall" in said
    assert issubclass(BadFile, ValueError)
