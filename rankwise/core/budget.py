"""The rank-budget controller: which threshold the next proximal step takes, so that a run ends on its budget.

It works in units of the threshold t = lr * lambda, and never removes a direction itself: zeros come from the
soft threshold alone. It has no integral term, hence nothing that winds up.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Plan:
    """Weight of the live directions over a run: all until `start`, then a cubic decay to `target` at `stop`.

    Weight is 1 a direction for a mean rank, in + out for a number of parameters. Cubic as in AdaLoRA (Zhang et
    al. 2023, eq. 12): most go early, while the rest has long to adapt.
    """

    full: float
    target: float
    start: int
    stop: int

    def at(self, step: int) -> float:
        if step <= self.start:
            return self.full
        if step >= self.stop:
            return self.target
        left = 1 - (step - self.start) / (self.stop - self.start)
        return self.target + (self.full - self.target) * left**3


def threshold(sizes: Tensor, before: Tensor, weights: Tensor, plan: Plan, step: int, horizon: int) -> float:
    """The t of this step's soft threshold, >= 0.

    Looking `horizon` steps ahead, the plan asks that the smallest directions of a certain weight be gone; q is
    the largest of their sizes. They then have to lose q / horizon in each step, plus what the optimizer gives
    back to them (`sizes - before`, its mean over them). If fewer live than planned, t is 0. t never reaches
    the directions that the final target keeps, so gates can't all die at once.

    Args:
        sizes: [n] size of every direction after the optimizer's step; 0 = dead.
        before: [n] the same right after the previous proximal step.
        weights: [n] what each counts in the plan.
        plan, step: the plan and the present step; horizon: steps ahead, >= 1.
    """
    live = (sizes > 0).nonzero().flatten()
    order = live[sizes[live].argsort()]
    gone = weights[order].cumsum(0)  # weight that leaves with the i+1 smallest
    total = float(gone[-1]) if len(order) else 0.0
    ahead = max(1, min(horizon, plan.stop - step))
    excess = total - plan.at(step + ahead)
    most = int((gone <= total - plan.target + 1e-9).sum())  # at most so many may go at all
    if excess <= 1e-9 or most == 0:
        return 0.0
    due = min(int((gone < excess - 1e-9).sum()) + 1, most)
    falling = order[:due]
    q = float(sizes[falling[-1]])
    regrowth = float((sizes[falling] - before[falling]).mean().clamp(min=0))
    t = q / ahead + regrowth
    if most < len(order):
        edge = float(sizes[order[most]])
        t = min(t, edge * (1 - 1e-6))
    return t


def lay_out(total_steps: int, warmup: float, settle: float) -> tuple[int, int]:
    """(last step of the warm-up, step at which the live set is fixed) from shares of the run.

    At least one step lies between them, so that the shortest run ends on its budget too.
    """
    start = min(round(total_steps * warmup), max(total_steps - 1, 0))
    return start, max(start + 1, total_steps - round(total_steps * settle))
