"""Chips: what each structure would have said at earlier dates, and the weights that follow.

For a cut the chips dated from then on are taken out of the record, and beliefs about levels and
growth, which were stated with the later chips in view, are widened. Slopes bend around the cut
rather than around 2024. What remains forecasts the sheet of each chip that shipped later.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from forepass.blocks import chips
from forepass.blocks.chips.likelihood import kinds
from forepass.blocks.chips.paths import part_specs
from forepass.blocks.chips.records import ANCHOR_YEAR, SPECS, ChipRecords, chip_records
from forepass.blocks.chips.structures import STRUCTURES
from forepass.blocks.trends import hinges, mean_slopes
from forepass.inputs.dates import EPOCH_YEAR
from forepass.inputs.definitions import load_definitions
from forepass.inputs.priors import Prior, load_priors
from forepass.inputs.tables import load_tables
from forepass.trend_checks import chip_figures, chip_findings
from forepass.trend_checks.chip_findings import growth_rates
from forepass.trend_checks.earlier import crps_terms, least_crps
from forepass.trend_checks.leave_future_out import Forecast, Record, leave_future_out

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from forepass.settings import Settings

__all__ = [
    "CUTS",
    "LaterParts",
    "figures",
    "growth_rates",
    "later_parts",
    "leave_future_out_scores",
    "notes",
    "quantities",
    "records_of",
    "rows",
    "scores_of",
    "weight_of_limits",
]

CUTS = (2020.0, 2022.0, 2024.0)
CHAINS, DRAWS, TUNE = 2, 400, 500
WIDER_LEVEL, WIDER_GROWTH = 4.0, 2.0
RATIO = "flop_per_byte"

type Floats = NDArray[np.float64]
type Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class LaterParts:
    """Draws of later parts' log specs from each cut, by structure, and what they were.

    Attributes
    ----------
    drawn : by structure, "stacked" among them, and cut: shape (draw, part, spec).
    records : by quantity, of the shipped parts that state it.
    """

    drawn: Mapping[str, Mapping[float, Floats]]
    records: Mapping[str, Record]
    shipped: ChipRecords


def leave_future_out_scores(
    settings: "Settings", *, progress: Progress | None = None
) -> pd.DataFrame:
    """Return the scores of later chips from each cut, a row for each (structure, spec, chip).

    Fits the block once for each cut of `CUTS`.
    """
    parts = later_parts(settings, progress=progress)
    weight = weight_of_limits(parts, seed=settings.seed)
    scores = scores_of(parts)
    scores.attrs["notes"] = [
        "Weight of limit-bound growth with which the mixture of structures scores best: "
        f"{weight['best']:.2f}; over resampled chips {weight['p10']:.2f} to {weight['p90']:.2f}"
    ]
    return scores


def notes(posterior: xr.Dataset, settings: "Settings") -> list[str]:
    """Return lines on the memory wall, the structures, roadmaps, formats and predictive checks."""
    records = records_of(settings)
    return chip_findings.lines(posterior, records, settings)


def figures(posterior: xr.Dataset, settings: "Settings") -> dict[str, "Callable[[], Figure]"]:
    """Return what draws the figures, by name."""
    records = records_of(settings)
    return {
        "fans": lambda: chip_figures.draw_fans(posterior, records, settings),
        "wall": lambda: chip_figures.draw_wall(posterior, records, settings),
    }


def scores_of(parts: LaterParts) -> pd.DataFrame:
    """Return the scores of `leave_future_out` with a column `structure`."""
    frames = [
        leave_future_out(parts.records, _forecast(parts, structure), CUTS).assign(
            block="chips", structure=structure
        )
        for structure in parts.drawn
    ]
    return pd.concat(frames, ignore_index=True)


def records_of(settings: "Settings") -> ChipRecords:
    """Return the record that the block is fitted to."""
    tables, definitions = (
        load_tables(chips.TABLES, settings.data),
        load_definitions(settings.priors),
    )
    return chip_records(
        tables["chips"],
        tables["chip_prices"],
        minimum_bandwidth=definitions.chip_minimum_bandwidth_bytes_per_s,
        line_share=definitions.chip_line_share,
    )


def later_parts(settings: "Settings", *, progress: Progress | None = None) -> LaterParts:
    """Return the forecasts from every cut; compiles the model once and samples it for each."""
    import nutpie
    from pytensor.configdefaults import config

    records = records_of(settings)
    reference = load_definitions(settings.priors).reference_vendor
    shipped = rows(records, ~records.announced)
    drawn: dict[str, dict[float, Floats]] = {name: {} for name in (*STRUCTURES, "stacked")}
    with config.change_flags(numba__fastmath=False):
        priors = {
            name: _wider(prior) for name, prior in load_priors("chips", settings.priors).items()
        }
        compiled = nutpie.compile_pymc_model(
            chips.build(load_tables(chips.TABLES, settings.data), priors)
        )
        for cut in CUTS:
            if progress:
                progress(f"chips before {cut:.0f}")
            fits = _fit_before(compiled, records, cut, seed=settings.seed)
            fits["stacked"] = chips.mixed(list(fits.values()), settings.seed)
            later = rows(shipped, shipped.when + EPOCH_YEAR >= cut)
            for name, posterior in fits.items():
                drawn[name][cut] = part_specs(
                    posterior,
                    when=later.when,
                    vendor=np.array(later.vendors)[later.vendor],
                    reference=reference,
                    rng=np.random.default_rng(settings.seed),
                )
    return LaterParts(drawn, quantities(shipped), shipped)


def weight_of_limits(parts: LaterParts, *, seed: int) -> dict[str, float]:
    """Return the weight of the limit-bound structure that makes the mixture's CRPS least.

    Returns
    -------
    dict
        `best` over all later chips, and `p10` and `p90` over resampled chips.
    """
    rng = np.random.default_rng(seed)
    return least_crps(np.concatenate([_terms(parts, cut, rng) for cut in CUTS]), rng)


def _terms(parts: LaterParts, cut: float, rng: np.random.Generator) -> Floats:
    """Return for each later chip what the mixture's CRPS is made of, summed over its specs."""
    later = rows(parts.shipped, parts.shipped.when + EPOCH_YEAR >= cut)
    one, two = (parts.drawn[name][cut] for name in STRUCTURES)
    apart = crps_terms(one, two, later.log_specs, rng)
    return np.asarray((apart * later.present[..., None]).sum(axis=1))


def _fit_before(
    compiled: Any,  # noqa: ANN401 - nutpie is untyped
    records: ChipRecords,
    cut: float,
    *,
    seed: int,
) -> dict[str, xr.Dataset]:
    """Return draws, dims (draw, ...), of each structure fitted to chips dated before the cut."""
    import nutpie

    seen, origin = records.when + EPOCH_YEAR < cut, cut - ANCHOR_YEAR
    found, kind = kinds(records)
    present = records.present & seen[:, None]
    before = compiled.with_data(
        present_seen=present.astype(float),
        log_specs_seen=np.where(present, records.log_specs, 0.0),
        kind_seen=np.where(seen, kind, len(found) - 1),
        bend_origin_seen=origin,
        bend_lean_seen=mean_slopes(
            records.knots, records.since_anchor.min(), origin, origin=origin
        ),
        hinges_seen=hinges(records.since_anchor, records.knots, origin=origin),
    )
    fits = {}
    for structure, exchanged in chips.VARIANTS.items():
        draws = nutpie.sample(
            before.with_data(**exchanged),
            draws=DRAWS,
            tune=TUNE,
            chains=CHAINS,
            cores=CHAINS,
            seed=seed,
            progress_bar=False,
            save_warmup=False,
        ).posterior.dataset.stack(sample=("chain", "draw"), create_index=False)
        draws = draws.drop_vars(["chain", "draw"], errors="ignore").rename(sample="draw")
        early = {"knot": draws["knot"] < origin, "record_year": draws["record_year"] < cut}
        fits[structure] = draws.sel(early).transpose("draw", ...)
    return fits


def _wider(prior: Prior) -> Prior:
    """Return a belief about levels or growth made wider, because later chips went into it."""
    times = {"level": WIDER_LEVEL, "growth": WIDER_GROWTH, "memory": WIDER_GROWTH}
    factor = times.get(prior.name.split("_")[0], 1.0)
    if prior.name == "memory_wall_long_run" or factor == 1.0:
        return prior
    return replace(
        prior, parameters=prior.parameters | {"sigma": factor * prior.parameters["sigma"]}
    )


def _forecast(parts: LaterParts, structure: str) -> Forecast:
    def forecast(cut: float) -> dict[str, Floats]:
        later = rows(parts.shipped, parts.shipped.when + EPOCH_YEAR >= cut)
        drawn = parts.drawn[structure][cut]
        return {
            name: values[:, stated] for name, (values, stated) in _by_quantity(drawn, later.present)
        }

    return forecast


def quantities(shipped: ChipRecords) -> dict[str, Record]:
    """Return the record of each spec, and of 8-bit FLOP per byte, over the chips that state it."""
    vendors = np.array(shipped.vendors)[shipped.vendor]
    return {
        name: Record(shipped.when[stated] + EPOCH_YEAR, values[stated], vendors[stated])
        for name, (values, stated) in _by_quantity(shipped.log_specs, shipped.present)
    }


def _by_quantity(
    log_specs: Floats, present: NDArray[np.bool_]
) -> list[tuple[str, tuple[Floats, NDArray[np.bool_]]]]:
    """Return each spec, and 8-bit FLOP per byte, with whether each chip states it."""
    by_name = {spec: (log_specs[..., at], present[..., at]) for at, spec in enumerate(SPECS)}
    (flops, first), (bandwidth, second) = by_name["flops_8bit"], by_name["bandwidth"]
    return [*by_name.items(), (RATIO, (flops - bandwidth, first & second))]


def rows(records: ChipRecords, chosen: NDArray[np.bool_]) -> ChipRecords:
    """Return the chosen chips of a record."""
    return replace(
        records,
        names=[name for name, kept in zip(records.names, chosen, strict=True) if kept],
        **{
            field: getattr(records, field)[chosen]
            for field in ("vendor", "when", "log_specs", "present", "error", "announced")
        },
    )
