"""A tokenizer of whole words, made in memory: [PAD] 0, [CLS] 1, [SEP] 2, [UNK] 3, then 000 to 099 and a few more."""

from __future__ import annotations

from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

SPECIAL = ("[PAD]", "[CLS]", "[SEP]", "[UNK]")
NUMBERS = tuple(f"{i:03d}" for i in range(100))
MORE = ("before", "after", "because", "they", "met", "left", "rain", "flood", "came", "went", "slept", "woke", ".", ",")
SIGNS = ("@", "#")  # of solid markers


class Words(PreTrainedTokenizerFast):
    """Splits at white space and around punctuation. more: further words, behind the others."""

    def __init__(self, more: tuple[str, ...] = ()) -> None:
        vocabulary = {word: i for i, word in enumerate((*SPECIAL, *NUMBERS, *MORE, *more))}
        made = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
        made.pre_tokenizer = pre_tokenizers.Whitespace()
        pad, cls, sep, unk = SPECIAL
        super().__init__(
            tokenizer_object=made, pad_token=pad, cls_token=cls, sep_token=sep, unk_token=unk, model_max_length=512
        )

    def numbers(self, text: str) -> list[int]:
        return self(text, add_special_tokens=False)["input_ids"]


SIZE = len(SPECIAL) + len(NUMBERS) + len(MORE)
