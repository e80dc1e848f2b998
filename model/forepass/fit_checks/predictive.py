"""Whether a block predicts its own rows: coverage, PIT, residuals and leave-one-out."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from forepass.fit_checks.finding import Finding
from forepass.fit_checks.replicas import Quantity
from forepass.sensitivities import GOOD_K

LEVELS = (0.5, 0.8, 0.9)
MARGIN = 0.1
"""Points by which an interval may cover more or less than it says: 80% covers 70 to 90%."""
ERROR = 0.01
"""Chance that a check falls short of a block that is right, over all of the block's quantities."""
LEAST_CORRELATION = 0.2
"""Less than this share of the spread would not be worth a change of the model, however clear."""
MOST_UNTRUSTED = 0.05
"""Share of rows whose Pareto k may be too high: one in twenty is what PSIS papers call few."""
FEWEST_ROWS = 8

type Floats = NDArray[np.float64]


def coverage(block: str, found: Sequence[Quantity]) -> Finding:
    """Check how often intervals hold rows that are left out in turn.

    In-sample coverage of a model with effects for single rows is above what it says, so that rows
    are left out. Each interval may miss by `MARGIN`, or by what so few rows would by chance.
    """
    short, values = [], {}
    for one in found:
        shares = _covered(one.pit)
        values[one.name] = {"rows": len(one.pit), **shares}
        for level in LEVELS:
            share, rows = shares[f"cover{level * 100:.0f}"], len(one.pit)
            low, high = stats.binom.interval(1 - ERROR / len(found), rows, level)
            low, high = min(low / rows, level - MARGIN), max(high / rows, level + MARGIN)
            if not low <= share <= high:
                short.append(
                    f"{one.name}: {share:.0%} of {rows} rows in the {level:.0%} interval, "
                    f"wanted {low:.0%} to {min(high, 1.0):.0%}"
                )
    pooled = _covered(np.concatenate([one.pit for one in found]))
    rows = sum(len(one.pit) for one in found)
    words = ", ".join(f"{pooled[f'cover{100 * x:.0f}']:.0%} in the {x:.0%}" for x in LEVELS)
    return Finding(
        block,
        "coverage",
        not short,
        f"of {rows:,} rows left out, {words} interval",
        "each quantity's intervals within 10 points of what they say, or of what chance allows",
        short,
        {"pooled": pooled, "quantities": values},
    )


def _covered(pit: Floats) -> dict[str, float]:
    return {
        f"cover{100 * level:.0f}": float(np.mean(np.abs(pit - 0.5) <= level / 2))
        for level in LEVELS
    }


def uniformity(block: str, found: Sequence[Quantity]) -> Finding:
    """Check that PIT values of rows left out are uniform, by Kolmogorov and Smirnov's test.

    At 1% for the block, shared among its quantities. Rows are taken as independent, which rows of
    one campaign or vendor are not: the test is then too strict.
    """
    tests = [(one, stats.kstest(one.pit, "uniform")) for one in found]
    limit = ERROR / len(found)
    short = [
        f"{one.name}: p {test.pvalue:.2g} for uniform PIT of {len(one.pit)} rows, "
        f"largest gap {test.statistic:.2f} at {float(test.statistic_location):.2f}"
        for one, test in tests
        if test.pvalue < limit
    ]
    least = min(tests, key=lambda pair: pair[1].pvalue)
    return Finding(
        block,
        "PIT uniform",
        not short,
        f"least p {least[1].pvalue:.2g} of {len(tests)} ({least[0].name})",
        f"p of {ERROR:g} over the number of quantities ({limit:.2g}) or more",
        short,
        {one.name: {"p": float(test.pvalue), "gap": float(test.statistic)} for one, test in tests},
    )


def residuals(block: str, found: Sequence[Quantity]) -> Finding:
    """Check that residuals do not hang on time, size, group or what else is known of a row.

    By Spearman's rank correlation with numbers, and for groups by Kruskal and Wallis's share of
    ranks' variance. Short is what is clear (1% over all of the block's tests) and large.
    """
    tests = [
        (one.name, column, *_dependence(one.about[column].to_numpy(), one.residual))
        for one in found
        for column in one.about.columns
        if len(one.residual) >= FEWEST_ROWS
    ]
    tests = [test for test in tests if np.isfinite(test[3])]
    limit = ERROR / max(len(tests), 1)
    short = [
        f"{name}: residuals hang on {column} (correlation {size:+.2f}, p {p:.1g})"
        for name, column, size, p in tests
        if p < limit and abs(size) >= LEAST_CORRELATION
    ]
    worst = max(tests, key=lambda test: abs(test[2]) * (test[3] < limit) + 1e-9 - test[3] * 1e-12)
    words = f"{len(tests)} tests, clearest {worst[2]:+.2f} ({worst[0]} on {worst[1]})"
    return Finding(
        block,
        "residuals",
        not short,
        words,
        f"no correlation of {LEAST_CORRELATION:g} or more at p below {limit:.2g}",
        short,
        {f"{name} on {column}": {"size": size, "p": p} for name, column, size, p in tests},
    )


def _dependence(values: NDArray[Any], residual: Floats) -> tuple[float, float]:
    """Return the correlation of residuals with numbers or groups, and its p; NaN for neither."""
    if values.dtype.kind in "fiub":
        known = np.isfinite(values.astype(float))
        if known.sum() < FEWEST_ROWS or np.ptp(values[known].astype(float)) == 0:
            return np.nan, np.nan
        found = stats.spearmanr(values[known].astype(float), residual[known])
        return float(found.statistic), float(found.pvalue)
    groups = [residual[values == name] for name in np.unique(values.astype(str))]
    if len(groups) < 2 or len(groups) >= len(residual):
        return np.nan, np.nan
    test = stats.kruskal(*groups)
    spare = (test.statistic - len(groups) + 1) / (len(residual) - len(groups))
    return float(np.sqrt(max(spare, 0.0))), float(test.pvalue)


def leave_one_out(block: str, found: Iterable[Quantity]) -> Finding:
    """Check that rows can be left out by reweighing: Pareto k of few is above `GOOD_K` [1]_.

    References
    ----------
    .. [1] A. Vehtari, A. Gelman, J. Gabry, "Practical Bayesian model evaluation using leave-one-out
       cross-validation and WAIC", Statistics and Computing 27, 2017.
    """
    named = {id(one.left_out): one for one in reversed(list(found))}
    values: dict[str, dict[str, float]] = {}
    short = []
    for one in reversed(list(named.values())):
        left = one.left_out
        above = int((left.pareto_k > GOOD_K).sum())
        values[one.name] = {
            "rows": len(left.elpd),
            "elpd": float(left.elpd.sum()),
            "se": float(np.sqrt(len(left.elpd) * np.var(left.elpd))),
            "effective_parameters": left.effective,
            "k_max": float(left.pareto_k.max()),
            "k_above_limit": above,
        }
        if above:
            short.append(
                f"{one.name}: {above} of {len(left.elpd)} rows, largest k {left.pareto_k.max():.2f}"
            )
    rows, bad, elpd = (
        sum(of[what] for of in values.values()) for what in ("rows", "k_above_limit", "elpd")
    )
    k_max = max(of["k_max"] for of in values.values())
    # One row may always be odd: a share of few rows would forbid it.
    passed = bad <= max(1, MOST_UNTRUSTED * rows)
    return Finding(
        block,
        "leave-one-out",
        passed,
        f"elpd {elpd:,.0f}; Pareto k above {GOOD_K:g} for {bad:.0f} of {rows:,.0f} rows, "
        f"largest {k_max:.2f}",
        f"k above {GOOD_K:g} for at most {MOST_UNTRUSTED:.0%} of rows, or one",
        [] if passed else short,
        values,
    )
