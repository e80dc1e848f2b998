"""Language models: growth beside published rates, and what priors expected of every trait."""

from collections.abc import Callable
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from forepass.backtest.language_models import records as releases
from forepass.backtest.published import Growth, growth
from forepass.blocks import language_models
from forepass.blocks.growth import sigmoid
from forepass.blocks.language_models.paths import GAP_AT, ORIGIN, TRAITS
from forepass.blocks.trends import hinges, mid_year
from forepass.inputs.elicitation import sample
from forepass.inputs.priors import load_priors
from forepass.settings import Settings
from forepass.trend_checks.predictive import draw_fans, interval, place_text

if TYPE_CHECKING:
    from matplotlib.figure import Figure

YEARS = np.arange(2020, 2036)
PRIOR_DRAWS = 4000
PANELS = {
    "frontier_active_params": ("active parameters, billion", 1e-9),
    "frontier_total_params": ("total parameters, billion", 1e-9),
    "moe_activation_fraction": ("share active in mixtures, %", 100.0),
    "max_context_tokens": ("longest context, thousand tokens", 1e-3),
    "kv_bytes_per_token": ("cache per token at 16 bit, kB", 1e-3),
}
SEEN = dict(zip(PANELS, ("active", "total", "fraction", "context", "kv"), strict=True))

type Floats = NDArray[np.float64]


def growth_rates(posterior: xr.Dataset, settings: Settings) -> list[Growth]:
    """Return growth of sizes by span of years, and falls of what a capability needs."""
    forward = _forward(posterior, settings)

    def rate(name: str, first: int, last: int) -> Floats:
        log = np.log(forward[name].sel(year=[first, last]).transpose("year", "draw").to_numpy())
        return np.asarray((log[1] - log[0]) / (last - first))

    spans = ((2020, 2024), (2024, 2026), (2026, 2030), (2030, 2035))
    sizes = [
        growth(f"{PANELS[name][0].split(',')[0]}, {a} to {b}", rate(name, a, b), settings)
        for name in PANELS
        for a, b in spans
        if not (name == "moe_activation_fraction" and a == 2020)
    ]
    gain = posterior["algorithmic_gain"].to_numpy()
    prices = gain + posterior["gain_of_prices"].to_numpy()
    density = gain + posterior["gain_of_parameters"].to_numpy()
    return [
        *sizes,
        growth(
            "fall of compute at fixed capability, of accounts on average",
            gain,
            settings,
            "algorithmic_progress_factor",
            "algorithmic_halving_time_pretraining_neurips",
            "algorithmic_progress_factor_from_prices",
        ),
        growth(
            "fall of compute at fixed capability, in a coming account",
            forward["algorithmic_gain"].to_numpy(),
            settings,
        ),
        growth("fall of parameters at fixed capability", density, settings, "densing_law_doubling"),
        growth(
            "fall of prices at fixed capability",
            prices,
            settings,
            "inference_price_decline_a16z",
            "inference_price_decline_fixed_capability",
        ),
    ]


def notes(posterior: xr.Dataset, settings: Settings) -> list[str]:
    """Return lines on shares active, structures, and what priors expected of the record."""
    forward = _forward(posterior, settings)

    def of_year(drawn: xr.DataArray, year: int) -> str:
        return interval(drawn.sel(year=year).to_numpy())

    share = forward["moe_activation_fraction"]
    said = [
        f"share active in the typical frontier mixture, {year}: {of_year(share, year)}"
        for year in (2024, 2026, 2030, 2035)
    ]
    for trait, name in zip(TRAITS, (*list(PANELS)[:1], *list(PANELS)[2:4]), strict=True):
        one = posterior["kv_exponent"]
        drifting, saturating = (
            _forward(posterior.assign({f"{trait}_saturating": weight}), settings)[name]
            for weight in (xr.zeros_like(one), xr.ones_like(one))
        )
        said += [
            f"{PANELS[name][0].split(',')[0]} in {year}: drifting {of_year(drifting, year)}, "
            f"saturating {of_year(saturating, year)}, stacked {of_year(forward[name], year)}"
            for year in (2030, 2035)
        ]
    return said + _prior_lines(settings)


def figures(posterior: xr.Dataset, settings: Settings) -> dict[str, Callable[[], "Figure"]]:
    """Return what draws the figures, by name."""
    rows = releases(settings)
    records = {panel: rows[name] for panel, name in SEEN.items()}
    return {"fans": lambda: draw_fans(_forward(posterior, settings), PANELS, records)}


def _forward(posterior: xr.Dataset, settings: Settings) -> xr.Dataset:
    return language_models.project(posterior, YEARS, np.random.default_rng(settings.seed))


def _prior_lines(settings: Settings) -> list[str]:
    """Return where the growth on record lies among what the priors expected of it."""
    said, records = [], releases(settings)
    ends = np.array([2019, 2021, 2023, 2025])
    for trait in TRAITS:
        rows = records[trait]
        middle = rows.groupby(np.floor(rows["when"]).astype(int))["value"].median()
        for first, last in pairwise(ends):
            if first in middle.index and last in middle.index:
                drawn = _prior_growth(trait, int(first), int(last), settings)
                came = (middle[last] - middle[first]) / (last - first)
                name = f"yearly growth of {trait}, {first} to {last}"
                said.append(place_text(name, drawn, float(came), "log"))
    return said


def _prior_growth(trait: str, first: int, last: int, settings: Settings) -> Floats:
    """Return draws of the prior's yearly growth of a year's typical release, both structures."""
    rng = np.random.default_rng(settings.seed)
    priors = load_priors("language_models", settings.priors)

    def drawn(name: str) -> Floats:
        return sample(priors[f"{trait}_{name}"], PRIOR_DRAWS, rng)[:, None]

    when = mid_year(np.array([first, last]))
    knots = np.arange(mid_year(np.array([first]))[0] - 0.5, ORIGIN + 2) - ORIGIN
    bends = drawn("bend_scale") * rng.standard_normal((PRIOR_DRAWS, len(knots)))
    start, limit = drawn("2025"), drawn("limit")
    scale = (lambda x: np.log(x / (1 - x))) if trait == "fraction" else np.log
    drifting = scale(start) + drawn("growth") * (when - ORIGIN)
    drifting = drifting + bends @ hinges(when - ORIGIN, knots).T
    gap = drawn("gap") * np.exp(-drawn("pace") * (when - GAP_AT[trait]))
    saturating = scale(limit) + (1 if trait == "fraction" else -1) * gap
    taken = rng.uniform(size=(PRIOR_DRAWS, 1)) < drawn("saturating")
    path = np.where(taken, saturating, drifting)
    path = path + drawn("scatter") * rng.standard_normal((PRIOR_DRAWS, 2)) / np.sqrt(2)
    if trait == "active":
        # The record of dense models up to 2023 and of mixtures from then on.
        lead = sample(priors["active_dense_lead"], PRIOR_DRAWS, rng)
        path[:, 0] += lead * (first < 2024)
        path[:, 1] += lead * (last < 2024)
    if trait == "fraction":
        path = np.log(sigmoid(path))
    return np.asarray((path[:, 1] - path[:, 0]) / (last - first))
