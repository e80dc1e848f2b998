"""Mean scores by target, horizon and origin, and how sure they are.

Rows are not independent: a developer releases several models from one recipe, and a row that one
origin misses the next one misses too. So means come with intervals from a bootstrap that draws
whole groups (who made it, in which year) rather than rows [1]_.

References
----------
.. [1] A. C. Davison and D. V. Hinkley, "Bootstrap Methods and their Application", 1997, ch. 3.8.
"""

from collections.abc import Iterable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forepass.backtest.scores import NAMES

RESAMPLED = 400

type Floats = NDArray[np.float64]


def summary(
    rows: pd.DataFrame, peers: Iterable[str], by: Iterable[str], *, seed: int
) -> pd.DataFrame:
    """Return mean scores by the columns ``by``, with 80% bootstrap intervals.

    Where a cell holds several targets each weighs the same, however many rows it has.

    Parameters
    ----------
    rows : a row for each forecast of one: its scores, `crps NAME` of each peer (NaN where it had
        none), `target`, `cluster`.
    peers : names of the simple forecasts.
    by : columns that tell the cells of the table apart.
    seed : of the bootstrap.

    Returns
    -------
    pd.DataFrame
        Means; `rows`, `origins` and `clusters`; `versus NAME`, the CRPS over that of each peer on
        the rows that it has; `best`, the peer of least CRPS among those with all rows, and the
        ratio to it, `versus best`; and with `_low` and `_high` the interval of `cover80` and of
        `versus best`.
    """
    rows = rows.assign(weight=1 / rows.groupby("target")["target"].transform("size"))
    by = list(by)
    return pd.DataFrame(
        [
            dict(zip(by, key, strict=True)) | _cell(cell, list(peers), seed)
            for key, cell in rows.groupby(by, sort=False)
        ]
    )


def _cell(rows: pd.DataFrame, peers: list[str], seed: int) -> dict[str, object]:
    found: dict[str, object] = {
        "rows": len(rows),
        "origins": rows["origin"].nunique(),
        "clusters": rows["cluster"].nunique(),
    }
    found |= {name: _mean(rows, name) for name in NAMES if name != "pit"}
    whole = {}
    for peer in peers:
        have = rows[rows[f"crps {peer}"].notna()]
        if len(have):
            found[f"crps {peer}"] = _mean(have, f"crps {peer}")
            found[f"versus {peer}"] = _mean(have, "crps") / _mean(have, f"crps {peer}")
        if len(have) == len(rows):
            whole[peer] = found[f"crps {peer}"]
    best = min(whole, key=lambda peer: float(str(whole[peer])))
    drawn = _resampled(rows, ["cover80", "crps", f"crps {best}"], seed)
    found |= {"best": best, "versus best": found[f"versus {best}"]}
    for name, values in (("cover80", drawn[:, 0]), ("versus best", drawn[:, 1] / drawn[:, 2])):
        found[f"{name}_low"], found[f"{name}_high"] = np.quantile(values, [0.1, 0.9])
    return found


def _mean(rows: pd.DataFrame, name: str) -> float:
    return float(np.average(rows[name], weights=rows["weight"]))


def _resampled(rows: pd.DataFrame, columns: list[str], seed: int) -> Floats:
    """Return means of columns over clusters drawn anew, dims (draw, column)."""
    weighted = rows[columns].mul(rows["weight"], axis=0).assign(weight=rows["weight"])
    sums = weighted.groupby(rows["cluster"]).sum().to_numpy()
    n = len(sums)
    times = np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), size=RESAMPLED)
    totals = times @ sums
    return np.asarray(totals[:, :-1] / totals[:, -1:])
