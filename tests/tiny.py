"""Tiny seeded models of six architectures, and one of plain torch: two layers, 16 wide, no dropout.

`host("bert")` gives a model in eval mode, `batch("bert")` three rows for it, the last one padded, with labels,
and `logits(model, batch)` what it answers. `shaken(adapter)` puts noise on every factor, so that nothing is
zero by accident.
"""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import torch
from torch import nn
from transformers import (
    BartConfig,
    BartForConditionalGeneration,
    BertConfig,
    BertForSequenceClassification,
    DebertaV2Config,
    DebertaV2ForSequenceClassification,
    GPT2Config,
    GPT2LMHeadModel,
    RobertaConfig,
    RobertaForSequenceClassification,
    T5Config,
    T5ForConditionalGeneration,
)

WIDTH, WORDS, ROWS, TOKENS = 16, 40, 3, 6
PAD = 1

ENCODER = {
    "vocab_size": WORDS,
    "hidden_size": WIDTH,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 24,
    "max_position_embeddings": 16,
    "hidden_dropout_prob": 0.0,
    "attention_probs_dropout_prob": 0.0,
    "initializer_range": 0.3,
    "pad_token_id": PAD,
    "num_labels": 3,
}
DEBERTA = {  # as microsoft/deberta-v3-base, made small
    "relative_attention": True,
    "position_buckets": 4,
    "max_relative_positions": -1,
    "share_att_key": True,
    "pos_att_type": ["p2c", "c2p"],
    "norm_rel_ebd": "layer_norm",
    "position_biased_input": False,
    "type_vocab_size": 0,
    "pooler_hidden_size": WIDTH,
    "pooler_dropout": 0.0,
}
GPT2 = {
    "vocab_size": WORDS,
    "n_embd": WIDTH,
    "n_layer": 2,
    "n_head": 2,
    "n_positions": 16,
    "embd_pdrop": 0.0,
    "attn_pdrop": 0.0,
    "resid_pdrop": 0.0,
    "initializer_range": 0.3,
    "bos_token_id": 2,
    "eos_token_id": 3,
    "pad_token_id": PAD,
}
T5 = {
    "vocab_size": WORDS,
    "d_model": WIDTH,
    "d_kv": 8,
    "d_ff": 24,
    "num_layers": 2,
    "num_heads": 2,
    "dropout_rate": 0.0,
    "initializer_factor": 1.0,
    "decoder_start_token_id": 0,
    "pad_token_id": PAD,
    "eos_token_id": 3,
}
BART = {
    "vocab_size": WORDS,
    "d_model": WIDTH,
    "encoder_layers": 2,
    "decoder_layers": 2,
    "encoder_attention_heads": 2,
    "decoder_attention_heads": 2,
    "encoder_ffn_dim": 24,
    "decoder_ffn_dim": 24,
    "max_position_embeddings": 16,
    "dropout": 0.0,
    "init_std": 0.3,
    "pad_token_id": PAD,
    "bos_token_id": 0,
    "eos_token_id": 3,
    "decoder_start_token_id": 3,
    "forced_eos_token_id": None,
}

FAMILIES: dict[str, tuple[Any, Any, dict[str, Any]]] = {
    "bert": (BertForSequenceClassification, BertConfig, ENCODER),
    "roberta": (RobertaForSequenceClassification, RobertaConfig, ENCODER | {"type_vocab_size": 1}),
    "deberta": (DebertaV2ForSequenceClassification, DebertaV2Config, ENCODER | DEBERTA),
    "gpt2": (GPT2LMHeadModel, GPT2Config, GPT2),
    "t5": (T5ForConditionalGeneration, T5Config, T5),
    "bart": (BartForConditionalGeneration, BartConfig, BART),
}
SIX = tuple(FAMILIES)
TARGETS = {  # queries and values, as in the papers
    "bert": ["query", "value"],
    "roberta": ["query", "value"],
    "deberta": ["query_proj", "value_proj"],
    "gpt2": ["c_attn"],
    "t5": ["q", "v"],
    "bart": ["q_proj", "v_proj"],
}
FIRST = {  # a site in layer 0, for gradient checkpointing
    "bert": "bert.encoder.layer.0.attention.self.query",
    "roberta": "roberta.encoder.layer.0.attention.self.query",
    "deberta": "deberta.encoder.layer.0.attention.self.query_proj",
    "gpt2": "transformer.h.0.attn.c_attn",
    "t5": "encoder.block.0.layer.0.SelfAttention.q",
    "bart": "model.encoder.layers.0.self_attn.q_proj",
}


def host(family: str, dtype: torch.dtype = torch.float32, seed: int = 0, **config: Any) -> nn.Module:
    """A tiny model of that family in eval mode; the global generator is left as it was."""
    cls, settings, numbers = FAMILIES[family]
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = cls(settings(**(numbers | config)))
        with torch.no_grad():  # biases and norms start at 0 and 1: nothing may hide there
            for parameter in model.parameters():
                if parameter.ndim == 1:
                    parameter.add_(0.1 * torch.randn(parameter.shape))
    return model.to(dtype).eval()


def batch(family: str, seed: int = 0) -> dict[str, torch.Tensor]:
    """ROWS rows of TOKENS tokens; the last row has two padded places. Labels as the family wants them."""
    rng = torch.Generator().manual_seed(seed)
    ids = torch.randint(4, WORDS, (ROWS, TOKENS), generator=rng)
    mask = torch.ones_like(ids)
    mask[-1, -2:] = 0
    ids[mask == 0] = PAD
    labels = torch.randint(4, WORDS, (ROWS, TOKENS - 2), generator=rng)
    if family in ("bert", "roberta", "deberta"):
        labels = torch.randint(0, 3, (ROWS,), generator=rng)
    elif family == "gpt2":
        labels = ids.masked_fill(mask == 0, -100)
    return {"input_ids": ids, "attention_mask": mask, "labels": labels}


def logits(model: nn.Module, rows: dict[str, torch.Tensor]) -> torch.Tensor:
    with torch.no_grad():
        return model(**rows).logits


def loss(model: nn.Module, rows: dict[str, torch.Tensor]) -> torch.Tensor:
    return model(**rows).loss


class Plain(nn.Module):
    """Three linear maps of plain torch: body.0 and body.2 6 -> 6, classifier 6 -> 3."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Linear(6, 6), nn.Tanh(), nn.Linear(6, 6), nn.Tanh())
        self.classifier = nn.Linear(6, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.classifier(self.body(x))


def plain(dtype: torch.dtype = torch.float32, seed: int = 0) -> Plain:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return Plain().to(dtype).eval()


def points(rows: int = 8, dtype: torch.dtype = torch.float32, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Inputs [rows, 6] and targets [rows] in 0..2 for `plain`."""
    rng = torch.Generator().manual_seed(seed)
    x = torch.randn(rows, 6, generator=rng, dtype=torch.float64).to(dtype)
    return x, torch.randint(0, 3, (rows,), generator=rng)


def small(method: type, rank: int = 4, **settings: Any) -> Any:
    """An instance that fits the tiny models, also of a method that has no rank."""
    known = {f.name for f in fields(method)}
    return method(**({"rank": rank} if "rank" in known else {}), **settings)


def shaken(adapter: Any, seed: int = 0, size: float = 0.3) -> Any:
    """The same adapter with noise on every factor, on what is trained whole, and on heads."""
    rng = torch.Generator().manual_seed(seed)

    def noisy(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        return {
            n: t + (size * torch.randn(t.shape, generator=rng, dtype=torch.float64)).to(t.dtype)
            for n, t in tensors.items()
        }

    heads = {task: noisy(w) for task, w in adapter.head_weights.items()}
    return replace(adapter.map(noisy), whole=noisy(adapter.whole), head_weights=heads)
