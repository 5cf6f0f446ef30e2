"""README.md of an adapter folder: what it is and how to load it."""

from __future__ import annotations

from ..core.adapter import Adapter


def card(adapter: Adapter, layout: str, notes: tuple[str, ...] = ()) -> str:
    """A short model card; notes: what PEFT would not see of this adapter."""
    base = adapter.base.get("name") or "an unnamed base model"
    ranks = sorted(adapter.ranks.values())
    live = [r for r in ranks if r]
    lines = [
        "---",
        "library_name: peft",
        "tags: [rankwise, lora]",
        "---",
        "# Adapter",
        "",
        f"- Base model: `{base}`" + (f", loaded as {adapter.base['class']}" if adapter.base.get("class") else ""),
        f"- Method: `{adapter.method}`",
        f"- Ranks: {len(live)} of {len(ranks)} sites, mean {adapter.mean_rank:.2f}"
        + (f", {live[0]} to {live[-1]}" if live else ""),
        f"- Numbers: {adapter.size:,} in the factors, {adapter.whole_size:,} trained whole",
        f"- Layout: {layout}; every scale and gate is inside lora_B, lora_alpha = r",
        *(f"- {note}" for note in notes),
        "",
        "```python",
        "from peft import PeftModel",
        'model = PeftModel.from_pretrained(base_model, "this/folder")',
        "```",
        "",
        "rankwise reads the exact factors and the heads, which PEFT ignores, from `rankwise.safetensors`:",
        "",
        "```python",
        "import rankwise as rw",
        'adapter = rw.load("this/folder")',
        "```",
    ]
    return "\n".join(lines) + "\n"
