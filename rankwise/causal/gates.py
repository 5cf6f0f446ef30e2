"""Gates as interventions: which directions of an adapter carry what it does, measured by shutting them.

do(gate = 0) is an exact intervention on the computation: the experimenter sets the gates by a coin, so effects are
plain differences of means, and no adjustment, no graph and no refuter is needed or used. Three numbers a switch, which
answer three questions and need not agree:

    main       the others open or shut at random: what the switch does on average (least squares on random masks)
    left out   all others open: what is lost if this one alone is shut; blind to switches that stand in for one another
    Shapley    over all orders in which the switches could be opened: shares that add up (12 switches or fewer)
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from torch import nn

from ..errors import DataError, RecipeError, explain
from . import shapley as exactly
from .design import PAIRS, PER_SWITCH, Design, Fit, Floats, Masks, design, every_mask, fit, pair_names, r2_interval
from .design import r2 as r2_of
from .mask_models import STILL, MaskModel, chosen, models_of
from .measured import Experiment, Measured, PairEffect, Switched
from .switches import Switch, shut, switches


@dataclass(frozen=True)
class Outcome:
    """What is measured under each mask.

    run: asks the model as it is just now; name -> one number a unit (a row, an edited case). Its mean is the outcome.
    clusters: name -> the document of each unit, so that errors over texts count documents.
    legend: name -> what the number is, in a phrase. notes: what was left out, and why.
    margins: of outcomes that are 0 or 1 for a unit, where `run` tells more: name -> the name under which it also gives
        a number a unit that is above 0 where the outcome is 1 (for accuracy: by how much the right answer leads).
    """

    run: Callable[[], Mapping[str, Floats]]
    clusters: Mapping[str, Sequence[str]]
    legend: Mapping[str, str]
    notes: tuple[str, ...] = ()
    margins: Mapping[str, str] = field(default_factory=dict)


def experiment(
    model: nn.Module,
    outcome: Outcome,
    given: Sequence[Switch] | None = None,
    *,
    per_switch: int = PER_SWITCH,
    exact: bool | None = None,
    seed: int = 0,
    tell: Callable[[int, int], None] | None = None,
) -> Experiment:
    """Run the outcome under random masks of the adapter attached to `model`, and estimate what each switch does.

    Args:
        given: default `switches(model)`.
        per_switch: runs a switch, everything counted but Shapley's.
        exact: Shapley values from all 2^G masks; default where there are 12 switches or fewer.
        tell: called with (runs done, runs to do).

    Raises:
        RecipeError: too few runs, or exact Shapley values of more than 12 switches. DataError: an outcome without
            units, or one that isn't finite. Others as `switches`.
    """
    start = time.perf_counter()
    given = switches(model) if given is None else tuple(given)
    plan = design(len(given), per_switch=per_switch, seed=seed)
    exact = len(given) <= exactly.MOST if exact is None else exact
    if exact and len(given) > exactly.MOST:
        raise RecipeError(
            explain(
                f"exact Shapley values of {len(given)} switches need 2^{len(given)} runs.",
                f"Up to {exactly.MOST} switches they are enumerated.",
            )
        )
    masks = np.unique(np.concatenate([plan.all, every_mask(len(given))]), axis=0) if exact else plan.all
    runs = _run(model, outcome, given, masks, tell)
    if exact and not plan.complete:
        fitted = {plan.fit[k].tobytes() for k in range(len(plan.fit))}
        fresh = np.array([m for m in every_mask(len(given)) if m.tobytes() not in fitted])
        plan = Design(plan.fit, fresh, plan.mirrored)
    measured = tuple(_measure(name, outcome, plan, given, runs, exact, seed) for name in outcome.legend)
    return Experiment(
        tuple(given),
        measured,
        runs=len(masks),
        fitted=len(plan.fit),
        fresh=len(plan.fresh),
        complete=plan.complete,
        seed=seed,
        seconds=time.perf_counter() - start,
        notes=outcome.notes + tuple(f"{m.outcome}: no switch moves it." for m in measured if np.isnan(m.r2_main)),
    )


Runs = dict[bytes, Mapping[str, Floats]]


def _run(
    model: nn.Module,
    outcome: Outcome,
    given: Sequence[Switch],
    masks: Masks,
    tell: Callable[[int, int], None] | None,
) -> Runs:
    found: Runs = {}
    for done, mask in enumerate(masks, 1):
        with shut(model, [s for s, is_open in zip(given, mask, strict=True) if not is_open]):
            values = {name: np.asarray(v, dtype=np.float64).reshape(-1) for name, v in outcome.run().items()}
        for name in (*outcome.legend, *outcome.margins.values()):
            if not len(values[name]) or not np.isfinite(values[name]).all():
                what = "has no units" if not len(values[name]) else "is not finite under some mask"
                raise DataError(explain(f"outcome {name!r} {what}.", "Every mask needs a finite number a unit."))
        found[mask.tobytes()] = values
        if tell is not None:
            tell(done, len(masks))
    return found


def _of(runs: Runs, masks: Masks, name: str) -> Floats:
    """[masks, units]"""
    if not len(masks):
        return np.empty((0, 0))
    return np.stack([runs[masks[k].tobytes()][name] for k in range(len(masks))])


def _measure(
    name: str, outcome: Outcome, plan: Design, given: Sequence[Switch], runs: Runs, exact: bool, seed: int
) -> Measured:
    names = [s.name for s in given]
    units = _of(runs, plan.fit, name)
    margins = _of(runs, plan.fit, outcome.margins[name]) if name in outcome.margins else None
    models = models_of(plan, units.mean(1), margins)
    best = chosen(models)
    tested = plan.fit if plan.complete else plan.fresh
    truth = _of(runs, tested, name).mean(1)
    moved = bool(np.ptp(np.concatenate([units.mean(1), truth])) > STILL)
    r2 = {name: r2_of(truth, model.said) if moved else float("nan") for name, model in models.items()}
    low, high = r2_interval(truth, models[best].said, seed=seed) if moved else (float("nan"), float("nan"))
    ends = _of(runs, np.array([[True] * len(names), [False] * len(names)]), name).mean(1)
    left = ends[0] - _of(runs, plan.left_out, name).mean(1)
    main = models["main"].effects or fit(plan, units.mean(1), pairs=False)
    by = _with_pairs(models, best)
    pairs = _pairs(names, models[by].effects if by else None)
    if exact:  # every mask ran, so that effects need not be estimated from some of them
        plan = Design(every_mask(len(names)), plan.fit[:0], mirrored=False)
        units = _of(runs, plan.fit, name)
        main = fit(plan, units.mean(1), pairs=False)
        by, pairs = "pairs", _pairs(names, fit(plan, units.mean(1), pairs=True))
    errors = _text_errors(plan, units, outcome.clusters[name])
    shares = exactly.shapley(units.mean(1)) if exact else None
    return Measured(
        name,
        outcome.legend[name],
        units=units.shape[1],
        documents=len(set(outcome.clusters[name])),
        open=float(ends[0]),
        shut=float(ends[1]),
        effects=_effects(names, main, errors, left, shares),
        pairs=pairs,
        pairs_by=by,
        r2_main=r2["main"],
        r2_pairs=r2.get("pairs"),
        r2_shrunk=r2.get("shrunk"),
        r2_gp=r2.get("gp"),
        chosen=best,
        low=low,
        high=high,
        agreement=_correlation(main.main, left),
    )


def _with_pairs(models: Mapping[str, MaskModel], best: str) -> str:
    """Whose pairs are told: the chosen model's, or where it has none those of the better one that has."""
    some = [name for name in ("pairs", "shrunk") if name in models and (best != "main" or name == "pairs")]
    return best if best in some else min(some, key=lambda name: models[name].miss, default="")


def _effects(names: list[str], main: Fit, errors: Floats, left: Floats, shares: Floats | None) -> tuple[Switched, ...]:
    return tuple(
        Switched(
            switch,
            float(main.main[k]),
            float(main.main[k] - main.main_error[k]),
            float(main.main[k] + main.main_error[k]),
            float(errors[k]),
            float(left[k]),
            None if shares is None else float(shares[k]),
        )
        for k, switch in enumerate(names)
    )


def _pairs(names: list[str], found: Fit | None) -> tuple[PairEffect, ...]:
    """All of few switches' pairs, and of many those whose interval leaves out 0."""
    if found is None or found.pairs is None or found.pair_error is None:
        return ()
    rows = zip(pair_names(names), found.pairs, found.pair_error, strict=True)
    made = [PairEffect(a, b, float(e), float(e - w), float(e + w)) for (a, b), e, w in rows]
    return tuple(p for p in made if len(names) <= PAIRS or p.low > 0 or p.high < 0)


def _text_errors(plan: Design, units: Floats, clusters: Sequence[str]) -> Floats:
    """[G] standard errors of the main effects over documents: effects are linear, so each unit has its own."""
    each = np.stack([fit(plan, units[:, u], pairs=False).main for u in range(units.shape[1])])
    groups = {c: k for k, c in enumerate(dict.fromkeys(clusters))}
    if len(groups) < 2:
        return np.full(plan.switches, float("nan"))
    sums = np.zeros((len(groups), plan.switches))
    np.add.at(sums, [groups[c] for c in clusters], each - each.mean(0))
    return np.asarray(np.sqrt(len(groups) / (len(groups) - 1) * (sums**2).sum(0)) / len(each))


def _correlation(a: Floats, b: Floats) -> float:
    if len(a) < 3 or np.ptp(a) < STILL or np.ptp(b) < STILL:
        return float("nan")
    return float(np.corrcoef(a, b)[0, 1])
