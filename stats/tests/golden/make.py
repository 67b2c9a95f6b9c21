"""
Make simulated.json with second implementations; run as `python -m stats.tests.golden.make`.

None of the code under test computes a number here: statsmodels (MixedLM, OLS and GLM with cluster
covariance, ANOVA, multiple tests, proportions), krippendorff, scipy.stats, enumeration of all sign
flips, a dense-matrix REML with numerical derivatives as in lmerTest, and a plain bootstrap loop.
"""

from __future__ import annotations

import json
import warnings
from itertools import combinations, product
from pathlib import Path
from typing import Any

import krippendorff
import numpy as np
import pandas as pd
import scipy.integrate
import scipy.optimize
import scipy.special
import scipy.stats
import statsmodels.api as sm
import statsmodels.formula.api as smf
from statsmodels.stats.anova import anova_lm
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

from stats.scores import Floats, Ints, ScoreTable
from stats.tests.golden.study import simulated_game, simulated_study, simulated_study_with_missing

PATH = Path(__file__).with_name("simulated.json")


def long_form(values: Floats) -> pd.DataFrame:
    """Return the cells of a table (E, P) as rows e, p, y."""
    e, p = np.nonzero(~np.isnan(values))
    return pd.DataFrame({"e": e, "p": p, "y": values[e, p], "all": 1})


def mixed_model(values: Floats) -> dict[str, float]:
    """Fit the crossed model with statsmodels MixedLM (REML)."""
    data = long_form(values)
    model = smf.mixedlm(
        "y ~ 1", data, groups="all", vc_formula={"e": "0 + C(e)", "p": "0 + C(p)"}, re_formula="0"
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit = model.fit(reml=True, method=["powell", "lbfgs", "bfgs"], gtol=1e-10)
    by_name = dict(zip(model.exog_vc.names, fit.vcomp, strict=True))
    return {
        "estimate": float(fit.fe_params.iloc[0]),
        "se": float(fit.bse_fe.iloc[0]),
        "evaluator": float(by_name["e"]),
        "prompt": float(by_name["p"]),
        "residual": float(fit.scale),
    }


def dense_reml(values: Floats) -> dict[str, Any]:
    """Fit by the dense V, with Satterthwaite df from numerical derivatives over (theta_e, theta_p, sigma)."""
    data = long_form(values)
    y = data.y.to_numpy()
    one = np.ones(len(y))
    same_e = (data.e.to_numpy()[:, None] == data.e.to_numpy()).astype(float)
    same_p = (data.p.to_numpy()[:, None] == data.p.to_numpy()).astype(float)

    def parts(parameters: Any) -> tuple[float, float, float]:
        t_e, t_p, sigma = parameters
        v = sigma**2 * (np.eye(len(y)) + t_e**2 * same_e + t_p**2 * same_p)
        inverse = np.linalg.inv(v)
        information = one @ inverse @ one
        mean = (one @ inverse @ y) / information
        rest = y - mean
        deviance = np.linalg.slogdet(v)[1] + np.log(information) + rest @ inverse @ rest
        return float(deviance), float(1 / information), float(mean)

    start: Any = np.array([0.5, 0.5, y.std()])
    options: Any = {"xatol": 1e-10, "fatol": 1e-12, "maxiter": 5000, "maxfev": 5000}
    best: Any = scipy.optimize.minimize(  # type: ignore[call-overload]
        lambda x: parts(x)[0], start, method="Nelder-Mead", options=options
    )
    point, step = best.x, 3e-4
    unit = np.eye(3) * step
    hessian = np.empty((3, 3))
    for i, j in product(range(3), repeat=2):
        corners = [(1, 1, 1), (1, -1, -1), (-1, 1, -1), (-1, -1, 1)]
        hessian[i, j] = sum(sign * parts(point + a * unit[i] + b * unit[j])[0] for a, b, sign in corners) / (
            4 * step**2
        )
    gradient = np.array([(parts(point + u)[1] - parts(point - u)[1]) / (2 * step) for u in unit])
    _, variance, mean = parts(point)
    df = 2 * variance**2 / (gradient @ (2 * np.linalg.inv(hessian)) @ gradient)
    se = variance**0.5
    return {
        "estimate": mean,
        "se": se,
        "df": df,
        "p": 2 * scipy.stats.t.sf(abs(mean) / se, df),
        "evaluator": (point[0] * point[2]) ** 2,
        "prompt": (point[1] * point[2]) ** 2,
        "residual": point[2] ** 2,
        "icc_ci": icc_interval(point, np.linalg.inv(hessian)),
    }


def icc_interval(point: Any, half_covariance: Any) -> list[float]:
    """Return the interval of the prompts' share of the variance, from the logit and numerical slopes."""

    def logit(parameters: Any) -> float:
        return float(np.log(parameters[1] ** 2 / (parameters[0] ** 2 + 1)))

    slopes = np.array([(logit(point + u) - logit(point - u)) / 2e-6 for u in np.eye(3) * 1e-6])
    half = scipy.stats.norm.isf(0.025) * np.sqrt(slopes @ (2 * half_covariance) @ slopes)
    return [float(scipy.special.expit(logit(point) + sign * half)) for sign in (-1, 1)]


def cluster_ols(values: Floats) -> dict[str, float]:
    """Fit the mean by OLS with statsmodels' two-way cluster covariance."""
    data = long_form(values)
    fit = smf.ols("y ~ 1", data).fit(
        cov_type="cluster", cov_kwds={"groups": data[["e", "p"]].to_numpy()}, use_t=True
    )
    return {"estimate": float(fit.params.iloc[0]), "se": float(fit.bse.iloc[0])}


def enumerate_flips(values: Floats) -> dict[str, float]:
    """Return the p-values of the sum by going through all sign flips."""
    signs = np.array(list(product((-1, 1), repeat=len(values))))
    sums = signs @ np.abs(values)
    return {
        "p": float((np.abs(sums) >= abs(values.sum())).mean()),
        "p_greater": float((sums >= values.sum()).mean()),
    }


def plain_bootstrap(values: Floats, resamples: int = 20_000) -> dict[str, Any]:
    """Bootstrap by drawing rows and columns and averaging what is there."""
    draw = np.random.default_rng(7)
    rows, columns = values.shape
    means = [
        np.nanmean(values[draw.integers(rows, size=rows)][:, draw.integers(columns, size=columns)])
        for _ in range(resamples)
    ]
    return {"se": float(np.std(means, ddof=1)), "ci": [float(x) for x in np.percentile(means, [2.5, 97.5])]}


def pair(table: ScoreTable, criterion: int, a: int, b: int) -> dict[str, Any]:
    """Return the golden numbers of one comparison."""
    values = table.scores[:, :, b, criterion] - table.scores[:, :, a, criterion]
    by_evaluator, by_prompt = np.nansum(values, axis=1), np.nansum(values, axis=0)
    nonzero = by_evaluator[by_evaluator != 0]
    ranks = scipy.stats.rankdata(np.abs(nonzero)) * np.sign(nonzero)
    superiority = (np.sign(values) + 1) / 2
    permutation = scipy.stats.permutation_test(
        (by_evaluator,),
        lambda x: x.sum(),
        permutation_type="samples",
        n_resamples=1_000_000,
        vectorized=False,
    )
    flips = enumerate_flips(by_evaluator)
    if abs(permutation.pvalue - flips["p"]) > 1e-12:
        raise ValueError("scipy's permutation test and the enumeration disagree")
    return {
        "criterion": table.criteria[criterion].key,
        "a": table.methods[a],
        "b": table.methods[b],
        "mixed_lm": mixed_model(values),
        "dense_reml": dense_reml(values),
        "superiority_reml": dense_reml(superiority),
        "cluster_robust": cluster_ols(values),
        "sign_flip_evaluators": flips,
        "sign_flip_prompts": enumerate_flips(by_prompt),
        "wilcoxon_evaluators": enumerate_flips(ranks),
        "bootstrap": plain_bootstrap(values),
    }


def agreement(table: ScoreTable, criterion: int) -> dict[str, Any]:
    """Return alphas by krippendorff and, without missing ratings, W and mean squares by scipy, statsmodels."""
    ratings = table.scores[..., criterion].reshape(len(table.evaluators), -1)
    found: dict[str, Any] = {
        f"alpha_{level}": krippendorff.alpha(reliability_data=ratings, level_of_measurement=level)
        for level in ("nominal", "ordinal", "interval")
    }
    if np.isnan(ratings).any():
        fit = dense_reml(ratings)
        total = fit["evaluator"] + fit["prompt"] + fit["residual"]
        return found | {"icc_2_1": fit["prompt"] / total, "icc_2_1_ci": fit["icc_ci"]}
    k, n = ratings.shape
    anova = anova_lm(smf.ols("y ~ C(e) + C(p)", long_form(ratings)).fit())
    ms_raters, ms_items, ms_error = (anova.mean_sq[name] for name in ("C(e)", "C(p)", "Residual"))
    base = ms_items + k * (ms_raters - ms_error) / n
    return found | {
        "icc_2_1": (ms_items - ms_error) / (base + (k - 1) * ms_error),
        "icc_2_k": (ms_items - ms_error) / (ms_items + (ms_raters - ms_error) / n),
        "kendall_w": scipy.stats.friedmanchisquare(*ratings.T).statistic / (k * (n - 1)),
    }


def two_way_from_one_way(fit: Any, columns: list[int], dummies: Floats, e: Ints, p: Ints) -> Floats:
    """
    Combine three one-way cluster covariances of statsmodels, each with the factor G / (G - 1).

    `dummies` (K, F) turns the coefficients in `columns` into all F levels with their sum zero. The sum of
    the score covariances is floored at that of the pages, level by level, as the code under test says.
    """
    plain = np.asarray(fit(cov_type="nonrobust").normalized_cov_params)[np.ix_(columns, columns)]
    information = np.linalg.inv(plain)
    meats = []
    for groups in (e, p, e * 1000 + p):
        number = len(np.unique(groups))
        robust = fit(cov_type="cluster", cov_kwds={"groups": groups, "use_correction": False}).cov_params()
        covariance = np.asarray(robust)[np.ix_(columns, columns)] * number / (number - 1)
        meats.append(dummies.T @ information @ covariance @ information @ dummies)
    values, vectors = np.linalg.eigh(meats[0] + meats[1] - 2 * meats[2])
    meat = meats[2] + vectors @ np.diag(values.clip(min=0)) @ vectors.T
    bread = np.linalg.pinv(dummies.T @ information @ dummies, rcond=1e-9)
    combined: Floats = bread @ meat @ bread
    return combined


def ranking(table: ScoreTable, wins: list[tuple[int, int, int, int, float]]) -> dict[str, Any]:
    """Fit Bradley-Terry as a logistic regression (statsmodels GLM) of rows e, p, i, j, weight of i's win."""
    size = len(table.methods)
    design = np.zeros((len(wins), size))
    for row, (_, _, i, j, _) in enumerate(wins):
        design[row, i], design[row, j] = 1, -1
    e, p, y = (np.array([row[k] for row in wins]) for k in (0, 1, 4))
    # The first strength is zero; the map to strengths of sum zero follows.
    model = sm.GLM(y, design[:, 1:], family=sm.families.Binomial())
    fit = model.fit(tol=1e-14, maxiter=200)
    dummies = np.column_stack([-np.ones(size - 1), np.eye(size - 1)])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        covariance = two_way_from_one_way(
            lambda **options: model.fit(tol=1e-14, maxiter=200, **options),
            list(range(size - 1)),
            dummies,
            e,
            p,
        )
    strengths = np.append(0, fit.params)
    return {"strengths": list(strengths - strengths.mean()), "se": list(np.sqrt(np.diag(covariance)))}


def rankings(table: ScoreTable) -> dict[str, Any]:
    """Return the golden rankings from picks and from overall ratings with ties as half wins."""
    size = range(len(table.methods))
    pages = list(np.ndindex(table.best.shape))
    picks = [(e, p, int(table.best[e, p]), m, 1.0) for e, p in pages for m in size if m != table.best[e, p]]
    overall = table.for_criterion("overall")
    halves = [
        (e, p, i, j, (np.sign(overall[e, p, i] - overall[e, p, j]) + 1) / 2)
        for e, p in pages
        for i, j in combinations(size, 2)
    ]
    return {"picks": ranking(table, picks), "ratings": ranking(table, halves)}


def positions(table: ScoreTable) -> dict[str, Any]:
    """Regress overall ratings on page, method and position dummies with statsmodels OLS."""
    overall = table.for_criterion("overall")
    if table.positions is None:
        raise ValueError("the simulated study has positions")
    e, p, m = (axis.ravel() for axis in np.indices(overall.shape))
    data = pd.DataFrame({"y": overall.ravel(), "page": e * 1000 + p, "m": m, "k": table.positions.ravel()})
    model = smf.ols("y ~ C(page) + C(m) + C(k)", data)
    fit = model.fit()
    names = list(fit.params.index)
    columns = [names.index(f"C({name})[T.{level}]") for name in "mk" for level in (1, 2)]
    block = np.column_stack([-np.ones(2), np.eye(2)])
    dummies = np.block([[block, np.zeros((2, 3))], [np.zeros((2, 3)), block]])
    covariance = two_way_from_one_way(lambda **options: model.fit(**options), columns, dummies, e, p)
    effects = np.append(0, fit.params.iloc[columns[2:]])
    effects -= effects.mean()
    contrast = np.array([-1, 1, 0, 0, 0, 0])
    return {
        "effects": list(effects),
        "effect_errors": list(np.sqrt(np.diag(covariance)[3:])),
        "second_minus_first": float(fit.params.iloc[columns[0]]),
        "second_minus_first_se": float(np.sqrt(contrast @ covariance @ contrast)),
        "f": float(effects @ np.linalg.pinv(covariance[3:, 3:], rcond=1e-9) @ effects) / 2,
    }


def game() -> dict[str, Any]:
    """Return the golden numbers of the simulated game."""
    records = simulated_game()
    y = records.selected.astype(float)
    groups = np.column_stack([records.players, records.pairs])
    fit = sm.OLS(y, np.ones(len(y))).fit(cov_type="cluster", cov_kwds={"groups": groups}, use_t=True)
    s, n = int(y.sum()), len(y)
    mixed, _ = scipy.integrate.quad(
        lambda p: np.exp(s * np.log(p / 0.5) + (n - s) * np.log((1 - p) / 0.5)),
        0,
        1,
        epsabs=0,
        epsrel=1e-12,
        points=[s / n],
        limit=500,
    )
    shares: dict[int, float] = {}
    answered: dict[int, list[bool]] = {}
    for player, number, chosen in zip(records.players, records.games, records.selected, strict=True):
        answered.setdefault(int(number), []).append(bool(chosen))
        if len(answered[int(number)]) == 5:
            shares.setdefault(int(player), sum(answered[int(number)]) / 5)
    return {
        "selected": s,
        "total": n,
        "se": float(fit.bse[0]),
        "wilson": list(proportion_confint(s, n, method="wilson")),
        "exact_p": scipy.stats.binomtest(s, n).pvalue,
        "log_e": float(np.log(mixed)),
        "first_game_shares": list(shares.values()),
    }


def power() -> list[dict[str, float]]:
    """Return powers from scipy's noncentral t with the degrees of freedom of the expected mean squares."""
    found = []
    for e, p, effect, s_e, s_p, s_r in ((10, 100, 1.0, 2.5, 1.0, 3.5), (30, 20, 0.4, 0.2, 1.5, 2.0)):
        variance = s_e / e + s_p / p + s_r / (e * p)
        expected = (s_r + p * s_e, s_r + e * s_p, s_r)
        dfs = (e - 1, p - 1, (e - 1) * (p - 1))
        df = (variance * e * p) ** 2 / sum(ms**2 / d for ms, d in zip(expected, dfs, strict=True))
        t = scipy.stats.t.isf(0.025, df)

        def chance(x: float, df: float = df, t: float = t) -> float:
            return float(scipy.stats.nct.sf(t, df, x) + scipy.stats.nct.cdf(-t, df, x))

        found.append(
            {
                "evaluators": e,
                "prompts": p,
                "effect": effect,
                "s_e": s_e,
                "s_p": s_p,
                "s_r": s_r,
                "power": chance(effect / variance**0.5),
                "minimum_detectable_effect": variance**0.5
                * scipy.optimize.brentq(lambda x: chance(x) - 0.8, 0.1, 8, xtol=1e-12),
            }
        )
    return found


def make() -> dict[str, Any]:
    """Return all golden numbers."""
    complete, missing = simulated_study(), simulated_study_with_missing()
    pairs = list(combinations(range(len(complete.methods)), 2))
    found: dict[str, Any] = {"made_with": "statsmodels, krippendorff, scipy.stats, enumeration, dense REML"}
    for name, table in (("complete", complete), ("missing", missing)):
        found[name] = {
            "checksum": float(
                np.nansum(table.scores * np.arange(table.scores.size).reshape(table.scores.shape))
            ),
            "pairs": [pair(table, c, a, b) for c in range(len(table.criteria)) for a, b in pairs],
            "agreement": {criterion.key: agreement(table, c) for c, criterion in enumerate(table.criteria)},
        }
    p_values = [found["complete"]["pairs"][k]["dense_reml"]["p"] for k in range(3)]
    found["holm"] = {"p": p_values, "adjusted": list(multipletests(p_values, method="holm")[1])}
    found["ranking"] = rankings(complete)
    found["position"] = positions(complete)
    found["game"] = game()
    found["power"] = power()
    return found


if __name__ == "__main__":
    PATH.write_text(json.dumps(make(), indent=1) + "\n", encoding="utf-8")
