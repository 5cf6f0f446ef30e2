"""SoRA as the paper prints it, in numpy and float64, with every gradient written out by hand.

Ding et al. 2023, arXiv:2311.11696, section 3: y = W x + s B (g * (A x)); after each optimizer step the proximal
step T_t(g) = g - t where g > t, 0 where |g| <= t, g + t where g < -t, with t = (learning rate) * lambda.
AdamW is Loshchilov and Hutter 2019 (arXiv:1711.05101), Algorithm 2, in the usual form where the decay is
multiplied by the learning rate. Column vectors, one at a time; written from the equations alone.
"""

from __future__ import annotations

import math

import numpy as np


def soft(value: float, t: float) -> float:
    """The paper's T, case by case."""
    if value > t:
        return value - t
    if value < -t:
        return value + t
    return 0.0


class Twin:
    """One site. w [out, in] frozen; a [r, in], b [out, r] and g [r] train."""

    def __init__(self, w: np.ndarray, a: np.ndarray, b: np.ndarray, g: np.ndarray, scale: float) -> None:
        self.w, self.scale = w.copy(), scale
        self.factors = {"A": a.copy(), "B": b.copy(), "gate": g.copy()}
        self.m = {n: np.zeros_like(p) for n, p in self.factors.items()}
        self.v = {n: np.zeros_like(p) for n, p in self.factors.items()}
        self.steps = 0

    def forward(self, rows: np.ndarray) -> np.ndarray:
        """rows [n, in] -> [n, out]."""
        f = self.factors
        return np.stack([self.w @ x + self.scale * f["B"] @ (f["gate"] * (f["A"] @ x)) for x in rows])

    def gradients(self, rows: np.ndarray, dy: np.ndarray) -> dict[str, np.ndarray]:
        """Of the loss by each factor, given dy [n, out], its gradient by the output."""
        f = self.factors
        sums = {n: np.zeros_like(p) for n, p in f.items()}
        for x, d in zip(rows, dy, strict=True):
            h = f["A"] @ x
            du = self.scale * f["B"].T @ d  # by u = g * h
            sums["B"] += self.scale * np.outer(d, f["gate"] * h)
            sums["gate"] += du * h
            sums["A"] += np.outer(du * f["gate"], x)
        return sums

    def sgd(self, grads: dict[str, np.ndarray], lr: dict[str, float]) -> None:
        for n, p in self.factors.items():
            p -= lr[n] * grads[n]

    def adamw(
        self,
        grads: dict[str, np.ndarray],
        lr: dict[str, float],
        decay: dict[str, float],
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
    ) -> None:
        self.steps += 1
        for n, p in self.factors.items():
            self.m[n] = betas[0] * self.m[n] + (1 - betas[0]) * grads[n]
            self.v[n] = betas[1] * self.v[n] + (1 - betas[1]) * grads[n] ** 2
            m_hat = self.m[n] / (1 - betas[0] ** self.steps)
            v_hat = self.v[n] / (1 - betas[1] ** self.steps)
            p -= lr[n] * decay[n] * p
            p -= lr[n] * m_hat / (np.sqrt(v_hat) + eps)

    def shrink(self, t: float) -> None:
        self.factors["gate"] = np.array([soft(float(g), t) for g in self.factors["gate"]])

    def shrink_size(self, t: float) -> None:
        """The same step on the norm |g_i| |a_i| |b_i| of each direction, with all of it taken from the gate."""
        f = self.factors
        for i, g in enumerate(f["gate"]):
            others = math.sqrt(sum(f["A"][i] ** 2)) * math.sqrt(sum(f["B"][:, i] ** 2))
            f["gate"][i] = soft(float(g) * others, t) / others
