"""What a user builds by hand today, as a baseline: PEFT LoRA r = 8 on every map, one row a pair, four marker tokens.

Text 250 characters to either side, markers [unused1] to [unused4], a linear head on the two opening markers, batches
of 32, three epochs, AdamW at 5e-4 (head 1e-3), in the same arithmetic as everything else here.
"""

from __future__ import annotations

import random
import time
import warnings
from typing import Any

import torch
from peft import LoraConfig, get_peft_model
from torch import nn
from torch.nn import functional as F

from rankwise.models import load, tokenizer
from rankwise.relations.schema import TEMPORAL, Document
from rankwise.train.accelerate import precision_here

CONTEXT, BATCH, EPOCHS, RATE, HEAD_RATE = 250, 32, 3, 5e-4, 1e-3


def encode(
    document: Document, words: Any, markers: list[int]
) -> list[tuple[list[int], int, int, int, tuple[str, str]]]:
    """Ids, places of the two opening markers, label, and the pair."""
    rows, text = [], document.text
    for r in document.relations:
        (a, b), (c, d) = document.span(r.source), document.span(r.target)
        pieces = [text[max(0, a - CONTEXT) : a], text[a:b], text[b:c], text[c:d], text[d : d + CONTEXT]]
        ids = words(pieces, add_special_tokens=False, verbose=False)["input_ids"]
        row = [words.cls_token_id, *ids[0], markers[0]]
        first = len(row) - 1
        row += [*ids[1], markers[1], *ids[2], markers[2]]
        second = len(row) - 1
        row += [*ids[3], markers[3], *ids[4], words.sep_token_id]
        rows.append((row, first, second, TEMPORAL.index(r.label), (r.source, r.target)))
    return rows


def batches(rows: list[Any], size: int, rng: random.Random | None) -> list[list[Any]]:
    """Batches of rows of like length, in random order."""
    order = list(rows)
    if rng:
        rng.shuffle(order)
    found = []
    for start in range(0, len(order), 50 * size):
        part = sorted(order[start : start + 50 * size], key=lambda row: len(row[0]))
        found += [part[i : i + size] for i in range(0, len(part), size)]
    if rng:
        rng.shuffle(found)
    return found


def run(
    train: list[Document], test: list[Document], seed: int
) -> tuple[list[dict[tuple[str, str], Any]], dict[str, Any]]:
    """Probabilities of every annotated pair of the test documents, and how it was trained."""
    torch.manual_seed(seed)
    words = tokenizer("minilm")
    markers = words.convert_tokens_to_ids([f"[unused{i}]" for i in range(1, 5)])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PEFT's own remarks
        maps = r".*\.(query|key|value|dense)"
        config = LoraConfig(r=8, lora_alpha=16, target_modules=maps, exclude_modules=["pooler.dense"])
        model: Any = get_peft_model(load("minilm"), config)  # type: ignore[arg-type]
    head = nn.Linear(2 * model.config.hidden_size, len(TEMPORAL))
    groups = [{"params": [p for p in model.parameters() if p.requires_grad], "lr": RATE}]
    groups.append({"params": list(head.parameters()), "lr": HEAD_RATE})
    optimizer = torch.optim.AdamW(groups)
    rows = [row for d in train for row in encode(d, words, markers)]
    rng, half = random.Random(seed), precision_here("auto", "cpu")

    def logits(batch: list[Any]) -> torch.Tensor:
        width = max(len(row[0]) for row in batch)
        ids = torch.tensor([row[0] + [0] * (width - len(row[0])) for row in batch])
        mask = torch.tensor([[1] * len(row[0]) + [0] * (width - len(row[0])) for row in batch])
        with torch.autocast("cpu", half or torch.bfloat16, enabled=half is not None):
            hidden = model(input_ids=ids, attention_mask=mask).last_hidden_state
        at = torch.tensor([[row[1], row[2]] for row in batch])
        return head(hidden[torch.arange(len(batch))[:, None], at].flatten(1).float())

    model.train()
    start = time.perf_counter()
    for _ in range(EPOCHS):
        for batch in batches(rows, BATCH, rng):
            loss = F.cross_entropy(logits(batch), torch.tensor([row[3] for row in batch]))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    seconds = time.perf_counter() - start
    model.eval()
    found = []
    with torch.no_grad():
        for d in test:
            said: dict[tuple[str, str], Any] = {}
            for batch in batches(encode(d, words, markers), 64, None):
                for row, p in zip(batch, logits(batch).softmax(-1).tolist(), strict=True):
                    said[row[4]] = p
            found.append(said)
    numbers = sum(p.numel() for g in groups for p in g["params"])
    return found, {"seconds": seconds, "numbers": numbers}
