"""Training runs: what would have been said of them at earlier dates, and what is found now."""

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from forepass import physics
from forepass.blocks import training
from forepass.blocks.trends import calendar_years, mid_year, times
from forepass.inputs.dates import EPOCH_YEAR
from forepass.inputs.elicitation import sample
from forepass.inputs.priors import load_priors
from forepass.inputs.tables import load_table
from forepass.trend_checks.earlier import (
    CUTS,
    GROWTH_WIDER,
    LEVEL_WIDER,
    fit_before,
    weight_of_second,
)
from forepass.trend_checks.leave_future_out import Record, leave_future_out
from forepass.trend_checks.predictive import draw_fans, place_text, posterior_line
from forepass.trend_checks.published import Growth, growth

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from forepass.settings import Settings

__all__ = ["figures", "growth_rates", "later_draws", "leave_future_out_scores", "notes"]

BLOCK = "training"
MOVED_TO = 2026.0  # the turn of the year after the newest record
STRUCTURES = ("drifting", "limit-bound")
WIDER = {
    "record_flop_2022": 2 * LEVEL_WIDER,
    "record_growth": GROWTH_WIDER,
    "record_limit": GROWTH_WIDER,
    "record_growth_longrun": GROWTH_WIDER,
    "overtraining_2025": LEVEL_WIDER,
    "overtraining_growth": GROWTH_WIDER,
    "overtraining_growth_longrun": 2 * GROWTH_WIDER,
    "duration_2022": GROWTH_WIDER,
    "duration_growth": GROWTH_WIDER,
}
PANELS = {
    "training_flop": ("compute of the largest run, 1e24 FLOP", 1e-24),
    "training_tokens": ("tokens of the largest run, trillion", 1e-12),
    "training_tokens_per_param": ("tokens for each active parameter", 1.0),
    "training_days": ("length of the largest run, days", 1.0),
    "training_cluster_h100e": ("its cluster, thousand H100s", 1e-3),
}
YEARS = np.arange(2020, 2036)
PRIOR_DRAWS = 4000

type Floats = NDArray[np.float64]
type Drawn = dict[str, dict[float, dict[str, Floats]]]


def leave_future_out_scores(
    settings: "Settings", *, progress: Callable[[str], None] | None = None
) -> pd.DataFrame:
    """Return the scores of later runs from each cut, a row for each structure and run."""
    drawn = later_draws(settings, progress=progress)
    records = {name: _record(rows, value) for name, (rows, value) in _runs(settings).items()}
    frames = [
        leave_future_out(records, drawn[structure].__getitem__, CUTS).assign(structure=structure)
        for structure in drawn
    ]
    return pd.concat(frames, ignore_index=True)


def growth_rates(posterior: xr.Dataset, settings: "Settings") -> list[Growth]:
    """Return growth of compute, overtraining and length beside published rates."""
    forward = _forward(posterior, settings)
    log = xr.ufuncs.log(forward["training_flop"].transpose("year", "draw"))
    return [
        growth(
            "compute of the largest run, on record",
            posterior["record_growth"].to_numpy(),
            settings,
            "training_compute_growth_frontier",
            "training_compute_growth_notable_models",
            "frontier_training_compute_growth",
            "training_compute_doubling_time",
        ),
        *(
            growth(
                f"compute of the largest run, {a} to {b}",
                ((log.sel(year=b) - log.sel(year=a)) / (b - a)).to_numpy(),
                settings,
                *(["training_compute_growth_future_guess"] if a == 2026 else []),
            )
            for a, b in ((2026, 2030), (2030, 2035))
        ),
        growth(
            "tokens for each active parameter, on record",
            posterior["overtraining_growth"].to_numpy(),
            settings,
        ),
        growth(
            "length of large runs, on record", posterior["duration_growth"].to_numpy(), settings
        ),
    ]


def notes(posterior: xr.Dataset, settings: "Settings") -> list[str]:
    """Return lines on structures, and prior and posterior predictive checks."""
    drawn, runs = later_draws(settings), _runs(settings)
    rows, value = runs["record_flop"]
    one, two = STRUCTURES
    late = {cut: value[_when(rows) >= cut] for cut in CUTS}
    found = weight_of_second(
        [
            (drawn[one][cut]["record_flop"], drawn[two][cut]["record_flop"], late[cut])
            for cut in CUTS
        ],
        seed=settings.seed,
    )
    said = [
        "compute: least CRPS at a weight of the limit-bound structure of "
        f"{found['best']:.2f} ({found['p10']:.2f} to {found['p90']:.2f})"
    ]
    for year in (2030, 2035):
        parts = []
        for name, weight in zip(
            ("drifting", "limit-bound", "stacked"), (0.0, 1.0, None), strict=True
        ):
            sure = (
                posterior
                if weight is None
                else posterior.assign(
                    record_limit_bound=xr.full_like(posterior["record_growth"], weight)
                )
            )
            flop = _forward(sure, settings)["training_flop"].sel(year=year)
            low, middle, high = np.quantile(flop, [0.1, 0.5, 0.9])
            parts.append(f"{name} {middle:.2g} ({low:.2g} to {high:.2g})")
        said.append(f"compute of the largest run in {year}, FLOP: {', '.join(parts)}")
    bound = np.zeros(len(posterior["draw"]), dtype=bool)
    for name, (told, truth) in runs.items():
        seen = _predicted(posterior, name, told, bound, np.random.default_rng(settings.seed))
        said.append(posterior_line(name, seen, truth))
    return said + _prior_lines(settings, runs)


def figures(posterior: xr.Dataset, settings: "Settings") -> dict[str, Callable[[], "Figure"]]:
    """Return what draws the figures, by name."""
    runs = _runs(settings)
    records = {
        panel: _record(*runs[name])
        for panel, name in (
            ("training_flop", "record_flop"),
            ("training_tokens", "record_tokens"),
            ("training_tokens_per_param", "large_overtraining"),
            ("training_days", "large_days"),
        )
    }
    return {"fans": lambda: draw_fans(_forward(posterior, settings), PANELS, records)}


def later_draws(settings: "Settings", *, progress: Callable[[str], None] | None = None) -> Drawn:
    """Return draws of the log of later runs by structure ("stacked" among them), cut, quantity."""
    found: Drawn = {}
    for cut in CUTS:
        if progress:
            progress(f"before {cut:.0f}")
        posterior, rng = _fits(settings, cut), np.random.default_rng(settings.seed)
        none = np.zeros(len(posterior["draw"]), dtype=bool)
        weighed = rng.uniform(size=none.size) < posterior["record_limit_bound"].to_numpy()
        for name, bound in zip((*STRUCTURES, "stacked"), (none, ~none, weighed), strict=True):
            found.setdefault(name, {})[cut] = {
                quantity: _predicted(
                    posterior,
                    quantity,
                    rows[_when(rows) >= cut],
                    bound,
                    np.random.default_rng(settings.seed),
                    moved=MOVED_TO - cut,
                )
                for quantity, (rows, _) in _runs(settings).items()
            }
    return found


@cache
def _fits(settings: "Settings", cut: float) -> xr.Dataset:
    return fit_before(BLOCK, cut, settings, moved_to=MOVED_TO, wider=WIDER, dated=())


def _runs(settings: "Settings") -> dict[str, tuple[pd.DataFrame, Floats]]:
    """Return runs by quantity, with the log of what each had of it."""
    table = load_table(BLOCK, settings.data)
    records, large = training.record_runs(table), training.large_runs(table)
    spent = records[records["training_tokens"].notna()]
    told, timed = large[large["training_tokens"].notna()], large[large["duration_days"].notna()]
    ratio = physics.training_tokens_per_parameter(told["training_flop"], told["training_tokens"])
    values = {
        "record_flop": (records, records["training_flop"]),
        "record_tokens": (spent, spent["training_tokens"]),
        "large_overtraining": (told, ratio),
        "large_days": (timed, timed["duration_days"]),
    }
    return {name: (rows, np.log(value.to_numpy(float))) for name, (rows, value) in values.items()}


def _predicted(
    posterior: xr.Dataset,
    quantity: str,
    rows: pd.DataFrame,
    bound: NDArray[np.bool_],
    rng: np.random.Generator,
    *,
    moved: float = 0.0,
) -> Floats:
    """Return draws of the log of a quantity of runs, dims (draw, run)."""
    when = times(rows["release_date"]) + moved
    draw = {name: posterior[name].to_numpy()[:, None] for name in training.PRIORS}
    last = int(calendar_years(posterior["record"].to_numpy().max()))
    years = np.arange(min(int(when.min(initial=0)) + EPOCH_YEAR - 1, last), 2040)
    path_rng, noise_rng, break_rng, drift_rng = rng.spawn(4)
    noise = noise_rng.standard_normal((2, len(bound), len(rows)))
    course = _between(
        training.course_of(draw, years, last, bound=bound[:, None], rng=path_rng), years, when
    )
    error = rows["relative_error"].fillna(0.0).to_numpy(float)
    flop = course + np.sqrt(draw["record_scatter"] ** 2 + error**2) * noise[0]
    if quantity == "record_flop":
        return np.asarray(flop)
    if quantity == "large_days":
        typical = training.typical_log_days(draw, years, last, rng=drift_rng)
        days = _between(typical, years, when)
        return np.asarray(days + draw["duration_spread"] * noise[1])
    typical = training.typical_overtraining(draw, years, last, rng=break_rng)
    ratio = _between(typical, years, when)
    tail = noise_rng.standard_t(draw["overtraining_tail"], size=noise.shape[1:])
    ratio = ratio + draw["overtraining_spread"] * tail
    if quantity == "large_overtraining":
        return np.asarray(ratio)
    return np.asarray(np.log(physics.training_tokens(1.0, 1.0)) + (flop + ratio) / 2)


def _between(path: Floats, years: NDArray[np.int_], when: Floats) -> Floats:
    """Return a path by year, dims (draw, year), at times between the middles of years."""
    place = np.clip(when - mid_year(years)[0], 0.0, len(years) - 1.0)
    before = np.minimum(place.astype(int), len(years) - 2)
    part = place - before
    return np.asarray(path[:, before] * (1 - part) + path[:, before + 1] * part)


def _prior_lines(settings: "Settings", runs: dict[str, tuple[pd.DataFrame, Floats]]) -> list[str]:
    """Return where the record's growth and end lie among what the priors expected of them."""
    rng = np.random.default_rng(settings.seed)
    priors = load_priors(BLOCK, settings.priors)
    rows, value = runs["record_flop"]
    when = _when(rows)
    drawn = {
        name: sample(priors[f"record_{name}"], PRIOR_DRAWS, rng)
        for name in ("flop_2022", "growth", "scatter")
    }
    said = []
    for first, last in ((2015.0, 2020.0), (2020.0, 2025.6)):
        at = [np.flatnonzero(when < end)[-1] for end in (first, last)]
        span = when[at[1]] - when[at[0]]
        off = drawn["scatter"] * np.sqrt(2) * rng.standard_normal(PRIOR_DRAWS) / span
        came = float((value[at[1]] - value[at[0]]) / span)
        name = f"yearly growth of record compute, {first:.0f} to {last:.0f}"
        said.append(place_text(name, drawn["growth"] + off, came, "log"))
    return said


def _forward(posterior: xr.Dataset, settings: "Settings") -> xr.Dataset:
    return training.project(posterior, YEARS, np.random.default_rng(settings.seed))


def _when(rows: pd.DataFrame) -> Floats:
    return times(rows["release_date"]) + EPOCH_YEAR


def _record(rows: pd.DataFrame, value: Floats) -> Record:
    return Record(_when(rows), value, np.full(len(rows), "all"))
