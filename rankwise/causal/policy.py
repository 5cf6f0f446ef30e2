"""What a policy is worth: the expected outcome if all were treated, none, or those whom a rule picks.

For a policy that treats row i when d_i = 1, with cross-fitted outcome models q0, q1 and probability of treatment g,

    value = mean of d_i G1_i + (1 - d_i) G0_i - cost d_i
    G1_i = q1_i + t_i (y_i - q1_i) / g_i,    G0_i = q0_i + (1 - t_i) (y_i - q0_i) / (1 - g_i)

which is right if either the outcome models or g is. Two policies are compared on the same rows, so what they share
cancels, and their difference is known better than either.

"Treat where the effect exceeds the cost" is learned: the effects of a fold's rows are predicted by a model of the other
folds, and so are its q0, q1 and g. Its value is that of learning a rule on such a table, not of one written rule.

Source: Robins, Rotnitzky and Zhao 1994; Athey and Wager 2021, "Policy learning with observational data", Econometrica
89(1); Kennedy 2023, arXiv:2004.14497, for the model of effects (a regression of doubly robust scores).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import DataError, RecipeError, explain
from .aipw import CLIP, Nuisances, cross_fit, mean_and_error, models, psi
from .columns import Frame, frame, whole
from .decision import PLAIN, USUAL, Decision, Difference, Estimate, Fitting, Floats, Part, Policies, Value
from .overlap import LOW, Overlap, overlap
from .rule import Rule

Z = NormalDist().inv_cdf(0.975)
ALL, NONE, LEARNED = "treat all", "treat none", "treat where the effect exceeds the cost"
PARTS = 5  # of the rows, by predicted effect


def policies(
    table: Any,
    treatment: str,
    outcome: str,
    common_causes: Sequence[str] = (),
    *,
    effect_modifiers: Sequence[str] = (),
    decision: Decision = PLAIN,
    fitting: Fitting = USUAL,
) -> Policies:
    """Value of treating all, none, those whose effect exceeds the cost, and those whom each rule picks.

    Args:
        table: pandas, a row a unit; rows with a gap in a column that is used are left out, and counted in `notes`.
        common_causes: columns that move both treatment and outcome; all of them, or the values are wrong.
        effect_modifiers: further columns, known before treatment, by which effects may differ. Columns of rules are
            added to these: a rule's value needs the effect among those whom it picks.

    Raises:
        UnknownName: a name that is no column. DataError: a table that nothing can be learnt from.
        RecipeError: a cost below 0, or what `cross_fit` refuses.
    """
    if not 0 <= decision.cost < float("inf"):
        raise RecipeError(explain(f"cost={decision.cost} is no cost.", "It is 0 or more, in units of the outcome."))
    rules = [Rule.parse(text, [str(c) for c in table.columns]) for text in decision.rules]
    for rule in rules:
        _known_before(rule, treatment, outcome)
    modifiers = [*effect_modifiers, *(name for rule in rules for name in rule.columns)]
    used = [treatment, outcome, *common_causes, *modifiers, *([fitting.group] if fitting.group else [])]
    table, gaps = whole(table, used)
    data = frame(table, treatment, outcome, [*common_causes, *modifiers], fitting.group)
    picks = [rule(table) for rule in rules]
    fits = cross_fit(
        data.x, data.t, data.y, nuisance=fitting.nuisance, folds=fitting.folds, seed=fitting.seed, groups=data.groups
    )
    arms = arm_scores(data.y, data.t, fits)
    cate = held_out_effects(data, fits.fold, fitting) if data.x.shape[1] else None
    actions = _actions(len(data.y), cate, decision)
    actions |= {rule.text: pick for rule, pick in zip(rules, picks, strict=True)}
    nets = {name: net_scores(*arms, d, decision) for name, d in actions.items()}
    values = tuple(_value(name, d, arms, nets[name], fits.g, data.groups) for name, d in actions.items())
    differences = tuple(Difference(a, b, _estimate(nets[a] - nets[b], data.groups)) for a, b in combinations(nets, 2))
    return Policies(
        treatment,
        outcome,
        tuple(dict.fromkeys([*common_causes, *modifiers])),
        len(data.y),
        decision,
        fitting,
        overlap(fits.g),
        _estimate(arms[1] - arms[0], data.groups),
        values,
        differences,
        () if cate is None else _parts(cate, arms[1] - arms[0], data.groups),
        (*gaps, *_notes(values, overlap(fits.g), common_causes, modifiers, cate is None)),
        cate,
    )


def _actions(n: int, cate: Floats | None, decision: Decision) -> dict[str, NDArray[np.bool_]]:
    """Whom each policy that needs no rule treats, [n]."""
    found = {ALL: np.ones(n, bool), NONE: np.zeros(n, bool)}
    if cate is not None:
        found[LEARNED] = (-cate if decision.smaller_is_better else cate) > decision.cost
    return found


def _value(
    name: str, d: NDArray[np.bool_], arms: tuple[Floats, Floats], net: Floats, g: Floats, groups: NDArray[Any] | None
) -> Value:
    """What the policy that treats where d [n] is worth."""
    outcome = _estimate(np.where(d, arms[1], arms[0]), groups)
    return Value(name, float(d.mean()), outcome, _estimate(net, groups), float(np.mean(np.where(d, g, 1 - g) < LOW)))


def arm_scores(y: ArrayLike, t: ArrayLike, fits: Nuisances, clip: float = CLIP) -> tuple[Floats, Floats]:
    """([n], [n]): doubly robust scores G0 and G1 of the outcome without and with treatment; see the formula above."""
    y, t, g = np.asarray(y, dtype=float), np.asarray(t, dtype=float), fits.g.clip(clip, 1 - clip)
    return fits.q0 + (1 - t) * (y - fits.q0) / (1 - g), fits.q1 + t * (y - fits.q1) / g


def net_scores(g0: Floats, g1: Floats, treated: NDArray[np.bool_], decision: Decision) -> Floats:
    """[n] scores whose mean is the net value of a policy; a cost makes a gain smaller and a loss larger."""
    paid = decision.cost * treated
    return np.where(treated, g1, g0) + (paid if decision.smaller_is_better else -paid)


def held_out_effects(data: Frame, fold: NDArray[np.int64], fitting: Fitting) -> Floats:
    """[n] predicted effect of each row, by a model that saw no row of its fold, nor was any model that it builds on.

    In the other folds, doubly robust scores (cross-fitted once more, in two halves) are regressed on the covariates.
    """
    out = np.empty(len(data.y))
    for k in range(int(fold.max()) + 1):
        held, rest = fold == k, fold != k
        groups = None if data.groups is None else data.groups[rest]
        x, t, y = data.x[rest], data.t[rest], data.y[rest]
        inner = cross_fit(x, t, y, nuisance=fitting.nuisance, folds=2, seed=fitting.seed + k + 1, groups=groups)
        scores = psi(y, t, inner.q0, inner.q1, inner.g)
        make, _ = models(fitting.nuisance, binary=False, seed=fitting.seed)
        scale = scores.std() or 1.0  # in units of the scores, so that no setting of a model depends on the outcome's
        model = make().fit(x, (scores - scores.mean()) / scale)
        out[held] = np.asarray(model.predict(data.x[held])) * scale + scores.mean()
    return out


def _parts(cate: Floats, scores: Floats, groups: NDArray[Any] | None) -> tuple[Part, ...]:
    """Fifths by rank of the predicted effect; none where too few rows are in one, or all predictions are equal."""
    if len(cate) < 20 * PARTS or np.ptp(cate) == 0:
        return ()
    chunks = np.array_split(np.argsort(cate, kind="stable"), PARTS)
    grouped = [None if groups is None else groups[c] for c in chunks]
    if any(g is not None and len(np.unique(g)) < 2 for g in grouped):
        return ()
    return tuple(
        Part(len(c), float(cate[c].mean()), _estimate(scores[c], g)) for c, g in zip(chunks, grouped, strict=True)
    )


def _estimate(scores: Floats, groups: NDArray[Any] | None) -> Estimate:
    value, se = mean_and_error(scores, groups)
    return Estimate(value, se, value - Z * se, value + Z * se)


def _known_before(rule: Rule, treatment: str, outcome: str) -> None:
    for name, what in ((treatment, "the treatment"), (outcome, "the outcome")):
        if name in rule.columns:
            raise DataError(
                explain(
                    f"the rule {rule.text!r} reads {what}, {name!r}.",
                    "A rule decides before either is there: use columns that are known by then.",
                ),
                rule=rule.text,
                column=name,
            )


def _notes(
    values: Sequence[Value], seen: Overlap, causes: Sequence[str], modifiers: Sequence[str], no_cate: bool
) -> tuple[str, ...]:
    """What a reader has to know besides the figures."""
    notes = []
    if not seen.ok:
        notes.append(seen.sentence)
    for v in values:
        if v.unseen > 0.05 and v.policy not in (ALL, NONE):
            notes.append(
                f"`{v.policy}` does what the data hardly ever show in {v.unseen:.0%} of the rows: its value rests "
                "on the models there."
            )
        if v.treated in (0.0, 1.0) and v.policy not in (ALL, NONE):
            notes.append(f"`{v.policy}` treats {'every row' if v.treated else 'no row'} of this table.")
    if not causes:
        notes.append(
            "No common cause was named: the values are right only if treatment was given by chance, as in a trial."
        )
    added = [name for name in dict.fromkeys(modifiers) if name not in causes]
    if added:
        notes.append(
            f"Adjusted for as well, since effects may differ by it: {', '.join(added)}. It must precede the treatment."
        )
    if no_cate:
        notes.append("No column was named by which effects could differ, so no rule was learned.")
    return tuple(notes)
