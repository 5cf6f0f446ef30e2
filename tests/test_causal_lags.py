"""Lags and shares of edges over many timelines, by hand where that can be and against planted ones."""

from __future__ import annotations

import numpy as np
import pytest

from rankwise.causal.lag_graph import Spread, read
from rankwise.causal.lags import Course, course, fit, fit_folder, share
from rankwise.causal.maxplus import DAY, Within, at
from rankwise.errors import BadFile, DataError, FileThere, UnknownName
from rankwise.relations.timeline_json import to_json
from tests.timelines import on, timeline

AB = frozenset({("a", "b")})


def point(day):
    return Within(round(day * DAY), round(day * DAY))


def whole(day):
    return Within(int(day) * DAY, (int(day) + 1) * DAY)


def test_a_share_has_wilsons_interval():
    # 8 of 10: (.8 + 1.96^2/20 -+ 1.96 sqrt(.8*.2/10 + 1.96^2/400)) / (1 + 1.96^2/10)
    found = share(8, 10)
    assert (found.value, found.marked, found.of) == (0.8, 8, 10)
    assert (found.low, found.high) == pytest.approx((0.49016, 0.94332), abs=1e-5)


def test_the_words_of_a_timeline_are_the_kinds_of_its_events():
    made = timeline(
        {"Merger": on("04-05"), "trial": None, "said": None, "said*": None}, causes=("Merger>trial", "said>trial")
    )
    found = course(made)
    assert set(found.times) == {"merger", "trial"}
    assert found.causes == {("merger", "trial")}
    assert found.times["merger"].high - found.times["merger"].low == DAY
    assert not found.times["trial"].known


def test_one_cause_with_exact_times_is_fitted_like_a_sample():
    """The normal's mean and its scale (over n) are those of the sample of differences, in closed form."""
    lags = np.array([2.0, 2.5, 3.0, 3.0, 3.5, 4.0, 1.0, 5.0, 3.0, 3.0])
    rows = [Course({"a": point(i * 10), "b": point(i * 10 + x)}, AB) for i, x in enumerate(lags)]
    lag = fit(rows).edge("a", "b").lag
    assert (lag.family, lag.n) == ("normal", 10)
    assert lag.mean == pytest.approx(3.0, abs=1e-3)
    assert lag.scale == pytest.approx(lags.std(), abs=1e-3)
    half = 2.306 * lags.std(ddof=2) / np.sqrt(10)  # Student's t with 8 degrees
    assert lag.high - lag.mean == pytest.approx(half, rel=0.01)


def planted(n, rng, *, plans, cell):
    rows = []
    for _ in range(n):
        a = rng.uniform(0, 200)
        z = a + rng.uniform(-2, 4)
        causes = {pair for pair, p in ((("a", "b"), 0.8), (("z", "b"), 0.5)) if rng.uniform() < p}
        plan = a + rng.uniform(0, 6)
        arrivals = {("a", "b"): a + rng.normal(4, 0.8), ("z", "b"): z + rng.normal(3, 0.6)}
        b = max([plan] * plans + [arrivals[c] for c in causes], default=a)
        times = {"a": cell(a), "b": cell(b), "z": cell(z)}
        rows.append(Course(times, frozenset(causes), {"b": cell(plan)} if plans else {}))
    return rows


@pytest.mark.parametrize("plans", [False, True])
def test_two_causes_and_a_plan_are_told_apart_from_whole_days(plans):
    rows = planted(400, np.random.default_rng(1), plans=plans, cell=whole)
    graph = fit(rows)
    a, z = graph.edge("a", "b"), graph.edge("z", "b")
    assert a.lag.low < 4 < a.lag.high
    assert z.lag.low < 3 < z.lag.high
    assert abs(a.lag.mean - 4) < 0.2
    assert abs(z.lag.mean - 3) < 0.2
    assert a.probability.low < 0.8 < a.probability.high
    naive = np.mean([(c.times["b"] - c.times["z"]).low for c in rows if ("z", "b") in c.causes]) / DAY + 1
    assert naive > 3.5  # what the mean difference would say
    assert any("No plans were known" in note for note in graph.notes) == (not plans)


def test_skewed_lags_are_taken_as_lognormal():
    rng = np.random.default_rng(0)
    rows = [Course({"a": point(i), "b": point(i + rng.lognormal(1, 0.7))}, AB) for i in range(200)]
    lag = fit(rows).edge("a", "b").lag
    assert lag.family == "lognormal"
    assert lag.low < np.exp(1 + 0.7**2 / 2) < lag.high
    assert lag.low < lag.mean < lag.high


def test_lags_that_do_not_vary_are_found_too():
    rows = [Course({"a": point(i), "b": point(i + 3)}, AB) for i in range(12)]
    lag = fit(rows).edge("a", "b").lag
    assert lag.mean == pytest.approx(3, abs=1e-3)
    assert lag.within.high - lag.within.low < 600


def test_what_the_data_do_not_tell_is_not_filled_in():
    rows = [Course({"a": point(i), "b": point(i + 3)}, AB) for i in range(7)]
    edge = fit(rows).edge("a", "b")
    assert (edge.lag, edge.why_not) == (None, "7 timelines date both, fewer than 8")
    vague = [Course({"a": point(i), "b": Within(0, 400 * DAY)}, AB) for i in range(20)]
    assert fit(vague).edge("a", "b").why_not == "0 timelines date both, fewer than 8"
    # a plan always comes later than a could: nothing but an upper bound of the lag is known
    held = [Course({"a": point(i), "b": point(i + 50)}, AB, {"b": point(i + 50)}) for i in range(30)]
    edge = fit(held).edge("a", "b")
    assert (edge.lag, edge.why_not) == (None, "the data do not tell it: other causes or plans hide it")


def test_nothing_to_fit_is_refused():
    with pytest.raises(DataError, match="there is no timeline"):
        fit([])
    with pytest.raises(DataError, match="none of 1 timelines marks a cause"):
        fit([Course({"a": point(1)})])


def test_edges_that_go_both_ways_are_noted():
    rows = [Course({"a": point(0), "b": point(1)}, frozenset({pair})) for pair in (("a", "b"), ("b", "a"))]
    graph = fit(rows)
    assert [(e.cause, e.effect, e.probability.value) for e in graph.edges] == [("a", "b", 0.5), ("b", "a", 0.5)]
    assert "Some timelines say a > b, others b > a" in graph.notes[1]


def test_a_folder_is_fitted_and_written(tmp_path):
    folder = tmp_path / "many"
    folder.mkdir()
    with pytest.raises(BadFile, match="holds no"):
        fit_folder(folder, tmp_path / "g.toml")
    for i in range(10):
        made = timeline({"merger": on("04-05"), "trial": on(f"04-{10 + i}")}, causes=("merger>trial",) if i else ())
        (folder / f"{i}.json").write_text(to_json(made))
    with pytest.raises(UnknownName, match=r"\.toml or \.json"):
        fit_folder(folder, tmp_path / "g.txt")
    graph = fit_folder(folder, tmp_path / "g.toml")
    assert read(tmp_path / "g.toml") == graph
    edge = graph.edge("merger", "trial")
    assert (edge.probability.marked, edge.probability.of, graph.timelines) == (9, 10, 10)
    assert isinstance(edge.lag, Spread)
    assert edge.lag.mean == pytest.approx(10, abs=0.2)  # 6 to 14 days
    with pytest.raises(FileThere, match="is there already"):
        fit_folder(folder, tmp_path / "g.toml")
    (folder / "x.json").write_text("{}")
    with pytest.raises(BadFile, match=r"x\.json: this JSON is no timeline"):
        fit_folder(folder, tmp_path / "g.toml", overwrite=True)


def test_bounds_of_one_side_are_not_used():
    from datetime import datetime

    assert not np.isfinite(at(datetime(2020, 1, 1), None).high)
    rows = [Course({"a": point(i), "b": at(datetime(2020, 1, 1), None)}, AB) for i in range(20)]
    assert fit(rows).edge("a", "b").lag is None
