"""One training step of MiniLM, ours beside stock PEFT, full fine-tuning and the floor, in time and memory.

    python benchmarks/step.py                       # all four tables, into results/step/
    python benchmarks/step.py --only fp32 --rounds 5

A step is forward, backward, AdamW and zero_grad on 32 rows of 64 tokens, with an adapter at every linear map of
the encoder. Every way is timed in the same process, one step each in turn, round after round, so that a busy
machine is busy for all; the peak of memory comes from a process of each way's own. See README.md beside this file.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")

import torch
from torch import Tensor, nn
from torch.nn import functional as F

SITES = r".*encoder\.layer\.\d+\..*(query|key|value|dense)"
ROWS, TOKENS, RANK, LR, SHARE = 32, 64, 8, 1e-4, 0.3
CELLS = {"fp32": (False, 0.0), "bf16": (True, 0.0), "fp32-dropout": (False, 0.1), "bf16-dropout": (True, 0.1)}
WAYS = {
    "floor": "floor: frozen, no adapter",
    "peft-lora": "PEFT LoRA",
    "peft-adalora": "PEFT AdaLoRA",
    "full": "full fine-tuning",
    "lora": "rankwise LoRA",
    "sora": "rankwise SoRA",
    "sora-30": "rankwise SoRA, cut to 30 %",
}


class Task(nn.Module):
    """The encoder with a loss, in the form that PEFT's AdaLoRA adds its penalty to."""

    class Output(dict[str, Tensor]):
        loss: Tensor

    def __init__(self, encoder: nn.Module) -> None:
        super().__init__()
        self.encoder, self.config = encoder, encoder.config

    def forward(self, **batch: Tensor) -> Output:
        hidden = self.encoder(**batch).last_hidden_state
        output = self.Output()
        output.loss = F.mse_loss(hidden.float().mean(1), torch.zeros(hidden.shape[0], hidden.shape[2]))
        return output


def host() -> nn.Module:
    """MiniLM without dropout of its own, so that "dropout" in a table is the adapters' alone."""
    from rankwise.models import load

    encoder = load("minilm", hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)
    return encoder.train()


def batch() -> dict[str, Tensor]:
    rng = torch.Generator().manual_seed(0)
    ids = torch.randint(1000, 30000, (ROWS, TOKENS), generator=rng)
    return {"input_ids": ids, "attention_mask": torch.ones_like(ids)}


Step = Callable[[], None]


def make(way: str, bf16: bool, dropout: float, encoder: nn.Module) -> Step:
    """One step of a way as a function without arguments."""
    torch.manual_seed(0)
    inputs = batch()
    if way == "floor":
        return _floor(encoder, inputs, bf16)
    if way.startswith("peft"):
        model, after = _peft(way, encoder, dropout)
    elif way == "full":
        model, after = Task(encoder), lambda: None
    else:
        return _ours(way, encoder, inputs, bf16, dropout)
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=LR)
    return _stepper(model, inputs, optimizer, bf16, after)


def _precision(bf16: bool) -> Any:
    return torch.autocast("cpu", torch.bfloat16) if bf16 else nullcontext()


def _stepper(model: nn.Module, inputs: dict[str, Tensor], optimizer: Any, bf16: bool, after: Step) -> Step:
    def step() -> None:
        with _precision(bf16):
            loss = model(**inputs).loss
        loss.backward()
        optimizer.step()
        after()
        optimizer.zero_grad()

    return step


def _floor(encoder: nn.Module, inputs: dict[str, Tensor], bf16: bool) -> Step:
    """What any adapter must pay: forward, and gradients of activations through every frozen layer."""
    encoder.requires_grad_(False)
    model = Task(encoder)
    embeds = encoder.get_input_embeddings()(inputs["input_ids"]).requires_grad_()

    def step() -> None:
        with _precision(bf16):
            loss = model(inputs_embeds=embeds, attention_mask=inputs["attention_mask"]).loss
        loss.backward()
        embeds.grad = None

    return step


def _peft(way: str, encoder: nn.Module, dropout: float) -> tuple[nn.Module, Step]:
    import peft

    if way == "peft-lora":
        config = peft.LoraConfig(r=RANK, lora_alpha=2 * RANK, lora_dropout=dropout, target_modules=SITES)
        return peft.get_peft_model(Task(encoder), config).train(), lambda: None
    config = peft.AdaLoraConfig(
        target_r=RANK, lora_alpha=2 * RANK, lora_dropout=dropout, target_modules=SITES, tinit=10**5, total_step=10**6
    )
    model, count = peft.get_peft_model(Task(encoder), config).train(), iter(range(10**5))
    return model, lambda: model.base_model.update_and_allocate(next(count))


def _ours(way: str, encoder: nn.Module, inputs: dict[str, Tensor], bf16: bool, dropout: float) -> Step:
    from rankwise.core.create import new
    from rankwise.core.host import attach, live
    from rankwise.core.optim import Stepper, parameter_groups
    from rankwise.methods import LoRA, SoRA

    plain = {"rank": RANK, "alpha": 2 * RANK, "dropout": dropout}
    # A lambda that changes nothing, so that every step pays for the proximal step.
    method = LoRA(**plain) if way == "lora" else SoRA(**plain, sparsity=1e-12, warmup=0.0, settle=0.0)
    adapter = new(encoder, method, targets=SITES.removeprefix(".*"))
    if way == "sora-30":
        rng = torch.Generator().manual_seed(0)
        order = torch.randperm(RANK * len(adapter.sites), generator=rng)
        alive = (order < SHARE * len(order)).float().view(-1, RANK)
        for f, gate in zip(adapter.factors.values(), alive, strict=True):
            f["gate"] *= gate
        adapter = adapter.compact()
    model = Task(attach(encoder, adapter))
    optimizer = torch.optim.AdamW(parameter_groups(encoder, LR))
    Stepper(optimizer, adapter.method.rule(live(encoder), 10**6), lambda: live(encoder))
    return _stepper(model, inputs, optimizer, bf16, lambda: None)


Seconds = dict[str, list[tuple[float, float]]]


def times(ways: list[str], bf16: bool, dropout: float, rounds: int) -> Seconds:
    """Seconds of each step by way, (wall, processor); in every round each way takes one step, the first moving on."""
    steps = {way: make(way, bf16, dropout, host()) for way in ways}
    for step in steps.values():
        for _ in range(2):
            step()
    seconds: Seconds = {way: [] for way in ways}
    for number in range(rounds):
        shift = number % len(ways)
        for way in ways[shift:] + ways[:shift]:
            wall, cpu = time.perf_counter(), time.process_time()
            steps[way]()
            seconds[way].append((time.perf_counter() - wall, time.process_time() - cpu))
    return seconds


def peak(way: str, bf16: bool, dropout: float) -> float:
    """MB above the idle process with the model loaded, at the peak of three steps. In a process of its own.

    VmHWM, not ru_maxrss: the latter starts at what the parent process had when it forked.
    """
    encoder = host()
    idle = _status("VmRSS")
    step = make(way, bf16, dropout, encoder)
    for _ in range(3):
        step()
    return (_status("VmHWM") - idle) * 1024 / 1e6


def _status(field: str) -> int:
    """A field of /proc/self/status, in KiB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(field + ":"))


def memory(cell: str, way: str, threads: int) -> float:
    command = [sys.executable, __file__, "--peak", cell, way, "--threads", str(threads)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()[-1])


def measure(cell: str, ways: list[str], rounds: int, threads: int) -> list[dict[str, Any]]:
    bf16, dropout = CELLS[cell]
    seconds = times(ways, bf16, dropout, rounds)
    rows = []
    for way in ways:
        row: dict[str, Any] = {"cell": cell, "way": way, "rounds": rounds}
        for i, clock in enumerate(("wall", "cpu")):
            own = [s[i] for s in seconds[way]]
            row |= {f"{clock}_min_ms": 1e3 * min(own), f"{clock}_median_ms": 1e3 * statistics.median(own)}
            for name, base in (("floor", "floor"), ("peft", "peft-lora")):
                if base in seconds:
                    others = [s[i] for s in seconds[base]]
                    row[f"{clock}_min_over_{name}"] = min(own) / min(others)
                    paired = [t / b for t, b in zip(own, others, strict=True)]
                    row[f"{clock}_median_over_{name}"] = statistics.median(paired)
        rows.append(row | {"peak_mb": memory(cell, way, threads)})
    return rows


def about(threads: int) -> dict[str, Any]:
    import peft
    import transformers

    import rankwise

    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    return {
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="minutes"),
        "cpu": f"{names[0] if names else platform.processor()}, {os.cpu_count()} cores",
        "threads": threads,
        "load_before": os.getloadavg()[0],
        "versions": {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "transformers": transformers.__version__,
            "peft": peft.__version__,
            "rankwise": rankwise.__version__,
        },
        "step": f"MiniLM, {ROWS} x {TOKENS} tokens, r = {RANK}, every linear map of the encoder",
    }


def table(facts: dict[str, Any], rows: list[dict[str, Any]]) -> str:
    """The results as Markdown."""
    versions = ", ".join(f"{k} {v}" for k, v in facts["versions"].items())
    text = [f"{facts['step']}. {facts['cpu']}, {facts['threads']} threads, {facts['date']}.", f"{versions}.", ""]
    text += ["Ratios of the minima over all rounds; in brackets the median of the ratios round by round.", ""]
    for cell in dict.fromkeys(r["cell"] for r in rows):
        of_cell = [r for r in rows if r["cell"] == cell]
        text += [
            f"**{cell}**, {of_cell[0]['rounds']} rounds",
            "",
            "| | time over floor | time over PEFT LoRA | processor time over floor | over PEFT LoRA | ms | peak MB |",
            "|---|---|---|---|---|---|---|",
        ]
        for r in of_cell:
            ratios = [_ratio(r, clock, base) for clock in ("wall", "cpu") for base in ("floor", "peft")]
            text.append(f"| {WAYS[r['way']]} | {' | '.join(ratios)} | {r['wall_min_ms']:.0f} | {r['peak_mb']:.0f} |")
        text.append("")
    return "\n".join(text)


def _ratio(row: dict[str, Any], clock: str, base: str) -> str:
    least, middle = (row.get(f"{clock}_{kind}_over_{base}") for kind in ("min", "median"))
    return "" if least is None else f"{least:.2f} ({middle:.2f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=20, help="timed steps of each way (20)")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads(), help="threads of torch (all cores)")
    parser.add_argument(
        "--only", action="append", default=[], help=f"a table ({', '.join(CELLS)}) or a way ({', '.join(WAYS)}); repeat"
    )
    parser.add_argument(
        "--name", default="step", help="write results/step/NAME.json and .md (step); '-' writes nothing"
    )
    parser.add_argument("--json", action="store_true", help="print JSON in place of the table")
    parser.add_argument("--peak", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    if given.peak:
        print(peak(given.peak[1], *CELLS[given.peak[0]]))
        return
    unknown = [o for o in given.only if o not in CELLS and o not in WAYS]
    if unknown:
        parser.error(f"--only {unknown[0]}: not one of {', '.join([*CELLS, *WAYS])}")
    cells = [c for c in CELLS if c in given.only] or list(CELLS)
    ways = [w for w in WAYS if w in given.only] or list(WAYS)
    facts = about(given.threads)
    rows = [row for cell in cells for row in measure(cell, ways, given.rounds, given.threads)]
    text = table(facts, rows)
    full = json.dumps(facts | {"rows": rows}, indent=1)
    print(full if given.json else text)
    if given.name != "-":
        folder = Path(__file__).parents[1] / "results" / "step"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{given.name}.json").write_text(full + "\n")
        (folder / f"{given.name}.md").write_text(text)


if __name__ == "__main__":
    main()
