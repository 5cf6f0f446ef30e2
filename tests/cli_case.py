"""A tiny base model with its tokenizer, a table that it can learn, and the command line in this process."""

from __future__ import annotations

import atexit
import csv
import json
import random
import shutil
import tempfile
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast
from typer.testing import CliRunner, Result

from rankwise.cli.main import app
from rankwise.models.quiet import quiet

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "good", "bad", "warm", "dull", *(f"w{i}" for i in range(24))]
LAYERS, MAPS = 2, 6
SITES = LAYERS * MAPS  # the pooler is left out


def base_model(folder: Path, seed: int = 0) -> Path:
    """A BERT of two layers, 16 wide, and a tokenizer of whole words."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = BertModel(
            BertConfig(
                vocab_size=len(WORDS),
                hidden_size=16,
                num_hidden_layers=LAYERS,
                num_attention_heads=2,
                intermediate_size=24,
                max_position_embeddings=24,
                initializer_range=0.3,
                hidden_dropout_prob=0.0,
                attention_probs_dropout_prob=0.0,
            )
        )
    words = Tokenizer(models.WordLevel({w: i for i, w in enumerate(WORDS)}, unk_token="[UNK]"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    words.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )
    fast = PreTrainedTokenizerFast(
        tokenizer_object=words,
        unk_token="[UNK]",
        pad_token="[PAD]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        model_max_length=24,
    )
    with quiet():
        model.save_pretrained(folder)
        fast.save_pretrained(folder)
    return folder


def rows(count: int, seed: int = 0) -> list[dict[str, str]]:
    """Texts with "good" or "warm" are liked, with "bad" or "dull" disliked."""
    rng = random.Random(seed)
    out = []
    for i in range(count):
        liked = i % 2 == 0
        telling = rng.choice(["good", "warm"] if liked else ["bad", "dull"])
        words = [f"w{rng.randrange(24)}" for _ in range(rng.randrange(2, 7))]
        words.insert(rng.randrange(len(words) + 1), telling)
        out.append({"review": " ".join(words), "stars": "liked" if liked else "disliked", "id": f"r{i}"})
    return out


def table(path: Path, given: list[dict[str, str]]) -> Path:
    with path.open("w", newline="") as file:
        out = csv.DictWriter(file, list(given[0]))
        out.writeheader()
        out.writerows(given)
    return path


def run(*words: object, given: str | None = None, code: int = 0) -> Result:
    """One command in this process; its exit code is checked."""
    result = CliRunner().invoke(app, [str(w) for w in words], input=given)
    assert result.exit_code == code, (result.exit_code, result.output, result.exception)
    return result


def figures(*words: object) -> Any:
    """What a command prints with --json: pure JSON."""
    return json.loads(run(*words, "--json").stdout)


class Shop(NamedTuple):
    """What the tests of commands read, made once; nothing in it is changed."""

    base: Path
    table: Path
    test: Path
    adapter: Path  # SoRA, trained by the command line
    printed: str


@cache
def shop() -> Shop:
    home = Path(tempfile.mkdtemp(prefix="rankwise-shop-"))
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    base = base_model(home / "base")
    train, test = table(home / "reviews.csv", rows(240)), table(home / "test.csv", rows(60, seed=1))
    out = home / "adapter"
    told = run(*train_words(train, base, out), "--epochs", 6, "--lr", "2e-2", "--rank", 4)
    return Shop(base, train, test, out, told.stdout)


def train_words(table: Path, base: Path, out: Path) -> tuple[object, ...]:
    """The start of a command that trains on the shop's columns."""
    return ("train", table, "--text", "review", "--label", "stars", "--base", base, "--out", out, "--quiet")
