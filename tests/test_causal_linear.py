"""Quick linear models give what scikit-learn's give."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from rankwise.causal.linear import LeastSquares, Logistic


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(400, 5)) * [1, 100, 0.01, 1, 1] + [0, 50, 0, 3, 0]
    score = x[:, 0] + 0.01 * (x[:, 1] - 50) - 100 * x[:, 2]
    return x, score + rng.normal(size=400), (rng.random(400) < 1 / (1 + np.exp(-score))).astype(int)


def test_least_squares_are_those_of_scikit_learn(data):
    x, y, _ = data
    theirs = make_pipeline(StandardScaler(), Ridge(1e-3)).fit(x, y).predict(x)
    np.testing.assert_allclose(LeastSquares(1e-3).fit(x, y).predict(x), theirs, rtol=0, atol=1e-9)


def test_logistic_regression_is_that_of_scikit_learn(data):
    x, _, t = data
    theirs = make_pipeline(StandardScaler(), LogisticRegression(C=10.0, tol=1e-10, max_iter=1000)).fit(x, t)
    np.testing.assert_allclose(Logistic(0.1).fit(x, t).predict_proba(x), theirs.predict_proba(x), rtol=0, atol=1e-6)


def test_a_separable_treatment_has_finite_coefficients():
    x = np.linspace(-1, 1, 50)[:, None]
    p = Logistic().fit(x, (x[:, 0] > 0).astype(int)).predict_proba(x)[:, 1]
    assert p[0] < 0.01
    assert p[-1] > 0.99
    assert (np.diff(p) >= 0).all()


def test_columns_of_one_value_and_doubled_columns_do_no_harm(data):
    x, y, t = data
    wide = np.column_stack([x, x[:, 0], np.full(400, 1e6)])
    np.testing.assert_allclose(
        LeastSquares().fit(wide, y).predict(wide), LeastSquares().fit(x, y).predict(x), atol=1e-3
    )
    np.testing.assert_allclose(
        Logistic().fit(wide, t).predict_proba(wide), Logistic().fit(x, t).predict_proba(x), atol=1e-2
    )


def test_one_class_is_predicted_as_such():
    x = np.arange(10.0)[:, None]
    assert (Logistic().fit(x, np.ones(10)).predict_proba(x)[:, 1] > 0.999).all()
