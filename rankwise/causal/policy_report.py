"""The report of a study of policies: overlap first, then values, differences, predicted effects and interventions."""

from __future__ import annotations

from typing import Any

from .draw import Interval, forest_svg, graph_svg
from .interventions import Counterfactual, Interventions
from .policy import Estimate, Policies
from .policy_study import Study
from .report import Picture, Report, Section, Table, Text, figure, interval

CAUTION = (
    "No refuter ran here, and none could say that the graph is right. The values hold if every common cause of "
    "treatment and outcome is among the columns adjusted for, and only where rows with and without the treatment "
    "overlap; a policy that treats where nobody was treated is not judged by these rows. Read the overlap first."
)


def report(found: Study) -> Report:
    """Overlap first, then values, differences, how well effects are predicted, and interventions."""
    p = found.policies
    sections = [
        _before(found),
        _values(p),
        *([_parts(p)] if p.parts else []),
        *([_interventions(found.interventions)] if found.interventions else []),
        *[_row(c) for c in found.counterfactuals],
        _how(p),
    ]
    return Report(f"Which policy? {p.treatment} for {p.outcome}", tuple(sections), figures(found), CAUTION)


def figures(found: Study) -> dict[str, Any]:
    """All numbers, for `--json` and report.json."""
    p = found.policies
    return {
        "treatment": p.treatment,
        "outcome": p.outcome,
        "covariates": p.covariates,
        "n": p.n,
        "decision": p.decision,
        "fitting": p.fitting,
        "overlap": {"outside": p.overlap.outside, "ok": p.overlap.ok, "sentence": p.overlap.sentence},
        "ate": p.effect.value,
        "ci": [p.effect.low, p.effect.high],
        "best": p.best.policy,
        "policies": p.values,
        "differences": p.differences,
        "parts": p.parts,
        "interventions": found.interventions,
        "counterfactuals": found.counterfactuals,
        "notes": p.notes,
    }


def summary(p: Policies) -> str:
    """Which policy is best, and over which others that is more than chance."""
    best = p.best
    sure: list[str] = []
    unsure: list[str] = []
    same: list[str] = []
    for d in p.differences:
        if best.policy in (d.first, d.second):
            other = d.second if d.first == best.policy else d.first
            alike = d.net.low == d.net.high == 0  # a rule that treats everybody beside treating all
            (same if alike else sure if d.net.low > 0 or d.net.high < 0 else unsure).append(f"`{other}`")
    said = f"Best in this table: `{best.policy}`, worth {figure(best.net.value)} {_ends(best.net)} after cost."
    said += f" It does the same in every row as {', '.join(same)}." if same else ""
    said += f" It is better than {', '.join(sure)} beyond chance." if sure else ""
    return said + (f" Chance may explain what it has over {', '.join(unsure)}." if unsure else "")


def _before(found: Study) -> Section:
    p = found.policies
    drawn = graph_svg(found.graph.edges, highlight=[p.treatment, p.outcome, (p.treatment, p.outcome)])
    says = "as the graph says" if found.graph.stated else "as named; that these are all is taken on trust"
    adjusted = f"Adjusted for ({says}): {', '.join(p.covariates) or 'nothing'}."
    text = "\n\n".join([p.overlap.sentence, adjusted, *p.notes])
    few = len(found.graph.nodes) <= 30
    picture = Picture(drawn, "The graph that all of this holds under")
    return Section("Before any figure", (Text(text), picture) if few else (Text(text),))


def _values(p: Policies) -> Section:
    worth = "less" if not p.decision.smaller_is_better else "plus"
    columns = (
        "policy",
        "treated",
        f"expected {p.outcome}",
        "95 % interval",
        f"{worth} cost",
        "95 % interval",
        "unseen",
    )
    rows = tuple(
        (
            v.policy,
            f"{v.treated:.1%}",
            v.outcome.value,
            _ends(v.outcome),
            v.net.value,
            _ends(v.net),
            f"{v.unseen:.1%}",
        )
        for v in p.values
    )
    caption = (
        f"n = {p.n:,}. Cost of treating one row: {figure(p.decision.cost)}. Unseen: share of rows for which what the "
        "policy does has a probability below .02 in the data."
    )
    forest = forest_svg(
        [Interval(v.policy, v.net.value, v.net.low, v.net.high, v.policy == p.best.policy) for v in p.values],
        zero=None,
        unit=f"{p.outcome}, {worth} cost",
    )
    pairs = tuple((d.first, d.second, d.net.value, _ends(d.net)) for d in p.differences)
    return Section(
        "What each policy is worth",
        (
            Text(summary(p)),
            Table(columns, rows, caption),
            Picture(forest, "Value of each policy with its 95 % interval; the best is marked"),
            Table(
                ("policy", "less", "difference", "95 % interval"), pairs, "Differences on the same rows, after cost."
            ),
        ),
    )


def _parts(p: Policies) -> Section:
    rows = tuple((i, q.rows, q.predicted, q.effect.value, _ends(q.effect)) for i, q in enumerate(p.parts, 1))
    text = (
        "Rows in fifths by predicted effect, each predicted by a model that saw neither the row nor its fold. Where "
        "the estimates do not rise with the predictions, effects cannot be told apart, and a learned rule is worth "
        "little."
    )
    columns = ("fifth", "rows", "predicted effect", "estimated effect", "95 % interval")
    return Section("Do the predicted effects hold?", (Text(text), Table(columns, rows)))


def _interventions(found: Interventions) -> Section:
    fits = tuple((f.node, ", ".join(f.causes) or "–", f.mechanism, f.share) for f in found.fits)
    means = tuple(
        (m.setting, m.node, m.observed, m.set_to.value, _ends(m.set_to), m.change.value, _ends(m.change))
        for m in found.means
    )
    blocks: list[Any] = [
        Text("\n\n".join(["Every node is set in the whole graph, by mechanisms fitted with dowhy.gcm.", *found.notes])),
        Table(
            ("node", "causes", "mechanism", "explained"),
            fits,
            "Explained: share of a node's variance that its mechanism gets right on rows held out (0 nothing, 1 all).",
        ),
        Table(
            ("set", "node", "observed", "mean", "95 % interval", "change", "95 % interval"),
            means,
            f"n = {found.n:,}; intervals from {found.resamples} resampled tables, seed {found.seed}. They hold under "
            "the graph and for the kind of mechanism shown.",
        ),
    ]
    if found.contrasts:
        rows = tuple((c.first, c.second, c.node, c.change.value, _ends(c.change)) for c in found.contrasts)
        blocks.append(Table(("set", "against", "node", "difference", "95 % interval"), rows))
    return Section("What if a node were set?", tuple(blocks))


def _row(found: Counterfactual) -> Section:
    rows = tuple((w.node, w.was, w.would_be.value, _ends(w.would_be)) for w in found.nodes)
    table = Table(("node", "was", "would have been", "95 % interval"), rows)
    return Section(f"Row {found.row}, had {found.setting} been so", ((table,) if rows else ()) + (Text(found.note),))


def _how(p: Policies) -> Section:
    f = p.fitting
    return Section(
        "How",
        (
            Text(
                f"Doubly robust values with {f.nuisance} models, cross-fitted in {f.folds} folds (seed {f.seed}"
                f"{f', rows of one {f.group} together' if f.group else ''}); probabilities kept in .01 to .99. "
                "The learned rule is another in each fold, and never judged on rows that it was learned from: its "
                "value is that of learning a rule on such a table. Average effect of "
                f"{p.treatment}: {figure(p.effect.value)} {_ends(p.effect)}, n = {p.n:,}."
            ),
        ),
    )


def _ends(e: Estimate) -> str:
    return interval(e.low, e.high)
