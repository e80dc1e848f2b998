"""Language models: what each structure would have said at earlier dates, and what it finds now."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from forepass.blocks.growth import sigmoid
from forepass.blocks.language_models.model import STRUCTURES
from forepass.blocks.language_models.paths import (
    ORIGIN,
    TRAITS,
    kinds_reached,
    log_kv,
    of_structure,
    plain,
    structures,
    trait_path,
)
from forepass.blocks.language_models.records import PROBES, decoder_releases, frontier_releases
from forepass.blocks.trends import mid_year
from forepass.inputs.dates import EPOCH_YEAR
from forepass.inputs.definitions import load_definitions
from forepass.inputs.tables import load_table
from forepass.trend_checks import language_model_findings
from forepass.trend_checks.earlier import (
    CUTS,
    GROWTH_WIDER,
    LEVEL_WIDER,
    fit_before,
    rows_of,
    weight_of_second,
)
from forepass.trend_checks.language_model_findings import figures, growth_rates
from forepass.trend_checks.leave_future_out import Record, leave_future_out

if TYPE_CHECKING:
    from forepass.settings import Settings

__all__ = ["figures", "growth_rates", "later_draws", "leave_future_out_scores", "notes", "weights"]

BLOCK = "language_models"
MOVED_TO = 2027.0  # the turn of the year after the newest release
WIDER = {
    **{f"{trait}_2025": LEVEL_WIDER for trait in TRAITS},
    **{f"{trait}_{what}": GROWTH_WIDER for trait in TRAITS for what in ("limit", "gap")},
    **{f"{trait}_growth": GROWTH_WIDER for trait in TRAITS},
    "moe_middle": GROWTH_WIDER,
    "kind_shared_middle": GROWTH_WIDER,
    "bits_8_middle": GROWTH_WIDER,
}
DATED = ("moe_middle", "kind_shared_middle", "bits_8_middle")

type Floats = NDArray[np.float64]
type Integers = NDArray[np.int_]
type Drawn = Mapping[str, Mapping[float, Mapping[str, Floats]]]


def leave_future_out_scores(
    settings: "Settings", *, progress: Callable[[str], None] | None = None
) -> pd.DataFrame:
    """Return the scores of later releases from each cut, a row for each structure and release."""
    records = records_of(settings)
    drawn = later_draws(settings, progress=progress)
    as_records = {name: _record(rows) for name, rows in records.items()}
    frames = [
        leave_future_out(as_records, drawn[structure].__getitem__, CUTS).assign(structure=structure)
        for structure in drawn
    ]
    return pd.concat(frames, ignore_index=True)


def notes(posterior: xr.Dataset, settings: "Settings") -> list[str]:
    """Return lines on shares active, structures, and prior and posterior predictive checks."""
    seen = {}
    for name, rows in records_of(settings).items():
        told = rows[rows["when"] >= load_definitions(settings.priors).first_year]
        rng = np.random.default_rng(settings.seed)
        chosen = structures(posterior, rng)
        seen[name] = (predicted(posterior, name, told, chosen, rng), told["value"].to_numpy())
    weighed = {
        f"{trait}: least CRPS at a weight of the saturating structure of": found
        for trait, found in weights(settings).items()
    }
    return language_model_findings.lines(posterior, settings, seen, weighed)


def weights(settings: "Settings") -> dict[str, dict[str, float]]:
    """Return for each trait the weight of the saturating structure that would have been best."""
    records, drawn = records_of(settings), later_draws(settings)
    return {
        trait: weight_of_second(
            [
                (
                    drawn[STRUCTURES[0]][cut][trait],
                    drawn[STRUCTURES[1]][cut][trait],
                    records[trait].loc[records[trait]["when"] >= cut, "value"].to_numpy(),
                )
                for cut in CUTS
            ],
            seed=settings.seed,
        )
        for trait in TRAITS
    }


def records_of(settings: "Settings") -> dict[str, pd.DataFrame]:
    """Return releases by quantity: decimal year, log value, developer, error, and what alters it.

    Columns `off_frontier` and `probed` are 0 or 1. Of shares the value is the log, not the logit.
    """
    chosen = load_definitions(settings.priors)
    releases = decoder_releases(load_table(BLOCK, settings.data))
    frontier = frontier_releases(
        releases,
        factor=chosen.frontier_window_factor,
        window_years=chosen.frontier_window_years,
    )
    unbound = {
        what: releases[[f"{what}_low", f"{what}_high"]].isna().all(axis=1)
        for what in ("active_params", "total_params")
    }
    share = releases["active_params"] / releases["total_params"]
    at_frontier = releases.index.isin(frontier.index)
    values = {
        "active": releases["active_params"].where(at_frontier & unbound["active_params"]),
        "total": releases["total_params"].where(at_frontier & unbound["total_params"]),
        "fraction": share.where((share < 1) & unbound["active_params"]),
        "context": releases["max_context_tokens"],
        "kv": releases["kv_bytes_per_token_16bit"].where(at_frontier),
    }
    found = {}
    for name, value in values.items():
        told = value.notna()
        found[name] = rows_of(releases[told], np.log(value[told].to_numpy())).assign(
            off_frontier=~at_frontier[told.to_numpy()],
            probed=releases.loc[told, "source"].str.contains(PROBES).to_numpy(),
        )
    return found


@cache
def _fits(settings: "Settings", cut: float) -> xr.Dataset:
    return fit_before(BLOCK, cut, settings, moved_to=MOVED_TO, wider=WIDER, dated=DATED)


def later_draws(settings: "Settings", *, progress: Callable[[str], None] | None = None) -> Drawn:
    """Return draws of the log of later rows by structure ("stacked" among them), cut, quantity."""
    records = records_of(settings)
    found: dict[str, dict[float, dict[str, Floats]]] = {}
    for cut in CUTS:
        if progress:
            progress(f"before {cut:.0f}")
        posterior = _fits(settings, cut)
        for name, chosen in _choices(posterior, settings.seed).items():
            found.setdefault(name, {})[cut] = {
                quantity: predicted(
                    posterior,
                    quantity,
                    rows[rows["when"] >= cut],
                    chosen,
                    np.random.default_rng(settings.seed),
                    moved=MOVED_TO - cut,
                )
                for quantity, rows in records.items()
            }
    return found


def predicted(
    posterior: xr.Dataset,
    quantity: str,
    rows: pd.DataFrame,
    chosen: Mapping[str, Integers],
    rng: np.random.Generator,
    *,
    moved: float = 0.0,
) -> Floats:
    """Return draws of the log of a quantity of releases, dims (draw, row).

    Parameters
    ----------
    posterior
        Of the block, dims (draw, ...).
    quantity
        As `records_of` names it.
    rows
        Releases, as `records_of` gives them; their values are not read.
    chosen
        Structure of each draw by trait.
    rng
        Source of shocks, of scatter and of developers that the fit never saw.
    moved
        Years by which the fit's own rows were moved forward.
    """
    when = rows["when"].to_numpy() + moved - EPOCH_YEAR
    shape = (len(posterior["draw"]), len(rows))
    path_rng, scatter_rng, lot_rng, effect_rng = rng.spawn(4)
    noise = scatter_rng.standard_normal((3, *shape))
    draw = {**plain(posterior), **_sized(posterior, chosen)}

    def trend(trait: str) -> Floats:
        return _at(posterior, trait, when, chosen[trait], path_rng.spawn(1)[0])

    def of(name: str) -> Floats:
        return draw[name][:, None]

    if quantity == "context":
        return np.asarray(trend("context") + of("context_scatter") * noise[0])
    effects = {
        trait: _effects(posterior, trait, rows["developer"], chosen[trait], effect_rng)
        for trait in ("active", "fraction")
    }
    error = rows["error"].to_numpy() * noise[2]
    share = trend("fraction") + effects["fraction"] + of("fraction_scatter") * noise[1]
    if quantity == "fraction":
        off = of("fraction_off_frontier") * rows["off_frontier"].to_numpy()
        return np.asarray(np.log(sigmoid(share + off + error)))
    lots = lot_rng.uniform(size=(2, *shape))
    mixture = lots[0] < sigmoid(of("moe_pace") * (when - of("moe_middle")))
    active = trend("active") + effects["active"] + of("active_scatter") * noise[0]
    active = active + np.where(mixture, 0.0, of("active_dense_lead"))
    if quantity == "active":
        return np.asarray(active + error)
    if quantity == "total":
        bias = of("probe_bias") * rows["probed"].to_numpy()
        return np.asarray(active - np.where(mixture, np.log(sigmoid(share)), 0.0) + bias + error)
    kind = kinds_reached(draw, when, lots[1])
    tail = scatter_rng.standard_t(draw["kv_tail"][:, None], size=shape)
    within = of("kv_growth") * (when - ORIGIN)
    return np.asarray(log_kv(draw, active, kind) + within + of("kv_scatter") * tail)


def _choices(posterior: xr.Dataset, seed: int) -> dict[str, dict[str, Integers]]:
    """Return the structures of the draws if each were sure, and by the stated weights."""
    n = len(posterior["draw"])
    sure = {name: dict.fromkeys(TRAITS, np.full(n, index)) for index, name in enumerate(STRUCTURES)}
    return sure | {"stacked": structures(posterior, np.random.default_rng(seed))}


def _sized(posterior: xr.Dataset, chosen: Mapping[str, Integers]) -> dict[str, Floats]:
    """Return the variables that each structure has for itself, by the structure of each draw."""
    return {
        **of_structure(posterior, chosen["active"], "active", "moe", "probe"),
        **of_structure(posterior, chosen["fraction"], "fraction"),
        **of_structure(posterior, chosen["context"], "context"),
    }


def _at(
    posterior: xr.Dataset,
    trait: str,
    when: Floats,
    structure: Integers,
    rng: np.random.Generator,
) -> Floats:
    """Return a trait's path at times, dims (draw, time), between the middles of years."""
    first = int(posterior["record_year"][0])
    years = np.arange(first, max(int(when.max(initial=0)) + EPOCH_YEAR, first) + 2)
    path = trait_path(posterior, trait, years, structure, rng)
    place = np.clip(when - mid_year(years)[0], 0.0, len(years) - 1.0)
    before = np.minimum(place.astype(int), len(years) - 2)
    part = place - before
    return np.asarray(path[:, before] * (1 - part) + path[:, before + 1] * part)


def _effects(
    posterior: xr.Dataset,
    trait: str,
    developers: pd.Series,
    structure: Integers,
    rng: np.random.Generator,
) -> Floats:
    """Return what whose release it is adds, dims (draw, row); anew where the fit has no such."""
    known = posterior["developer"].to_numpy().tolist()
    names = sorted(set(developers))
    fresh = rng.standard_normal((len(structure), len(names)))
    fitted = posterior[f"{trait}_developer_z"].transpose("draw", "structure", "developer")
    own = fitted.to_numpy()[np.arange(len(structure)), structure]
    columns = [
        own[:, known.index(name)] if name in known else fresh[:, names.index(name)]
        for name in developers
    ]
    scale = of_structure(posterior, structure, trait)[f"{trait}_developer_scale"]
    stacked = np.stack(columns, axis=1) if columns else np.zeros((len(structure), 0))
    return np.asarray(scale[:, None] * stacked)


def _record(rows: pd.DataFrame) -> Record:
    return Record(
        rows["when"].to_numpy(), rows["value"].to_numpy(), rows["developer"].to_numpy(dtype=str)
    )
