"""What given chips do with a given model: both bounds, realised throughput, cost, what binds."""

import math
import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from forepass import physics
from forepass.blocks.serving import prediction
from forepass.blocks.serving.rows import (
    Rows,
    compute_bits,
    dense_flops,
    least_replica,
    make_rows,
    smallest_count,
)
from forepass.errors import InputError
from forepass.inputs.definitions import Definitions
from forepass.inputs.records import Chip, LanguageModel, chip_record, model_record

if TYPE_CHECKING:
    from forepass.posterior import Fit

PERCENTILES = (5, 10, 25, 50, 75, 90, 95)
DRAWS_PER_PREDICTION = 1000
ROWS_AT_ONCE = 200
SEED = 1
"""Of what a fit did not know: new groups and noise. The fit's own seed makes the draws differ."""
RENTALS = ("cloud_reserved", "cloud_on_demand", "cloud_spot")
DECODING = "Cost of decoding a million tokens"
READING = "Cost of reading a million uncached input tokens"
ENERGY = "Energy of an output token at the facility"
BINDING = {
    "compute": "arithmetic",
    "memory": "memory traffic",
    "weights": "reading weights",
    "kv_cache": "reading the KV cache",
    "latency": "latency and overheads",
}

type Tables = Mapping[str, pd.DataFrame]
type Draws = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class PassesRequest:
    """A question about chips and a model; None leaves the choice to forepass.

    Attributes
    ----------
    n_chips : chips that serve one copy together; None takes the fewest that hold it.
    weight_bits : 16, 8 or 4; None takes the bits of the release.
    concurrency, speed : requests in flight, or output tokens/s that each user must get.
    cached_share : of the input, already in the KV cache.
    date : of the serving software.
    """

    chip: str
    n_chips: int | None
    model: str
    weight_bits: float | None
    input_tokens: float
    output_tokens: float
    concurrency: float | None = None
    speed: float | None = None
    cached_share: float = 0.0
    price_usd_per_chip_hour: float | None = None
    date: str | None = None
    software: str | None = None
    disaggregated: bool = False


@dataclass(frozen=True, slots=True)
class Configuration:
    """What a request comes to: its chip and model, with every choice made."""

    chip: Chip
    model: LanguageModel
    bits: float
    n_chips: int


def configuration(request: PassesRequest, tables: Tables) -> Configuration:
    """Return the chip, model, weight bits and count of chips that a request means.

    Raises
    ------
    InputError
        Where a name is unknown, a size is unpublished, or the weights do not fit.
    """
    chip = chip_record(request.chip, tables)
    model = model_record(request.model, tables)
    return _configured(chip, model, request.weight_bits, request.n_chips)


def _configured(
    chip: Chip, model: LanguageModel, bits: float | None, n_chips: int | None
) -> Configuration:
    """Return what is served on what, refused where the chips cannot serve the model."""
    if math.isnan(model.active_params) or math.isnan(model.total_params):
        raise InputError(f"model {model.name}: its active or total parameters are not published")
    if not bits:
        native = model.native_weight_bits
        bits = 16.0 if math.isnan(native) else native
    unknown = math.isnan(chip.memory_bandwidth_bytes_per_s) or math.isnan(
        chip.memory_capacity_bytes
    )
    if unknown or math.isnan(dense_flops(chip, compute_bits(chip, bits))):
        raise InputError(f"chip {chip.name}: its rate, bandwidth or memory is not published")
    least = smallest_count(chip, model, bits)
    if n_chips is not None and n_chips < least:
        raise InputError(
            f"{model.name} at {bits:g} bits does not fit in {n_chips} x {chip.name}: "
            f"it takes at least {least}"
        )
    fewest = int(least_replica(model.total_params, bits, chip.memory_capacity_bytes))
    return Configuration(chip, model, bits, n_chips or fewest)


def passes(
    request: PassesRequest,
    fits: "Mapping[str, Fit]",
    tables: Tables,
    definitions: Definitions,
) -> xr.Dataset:
    """Return bounds (no dims) and draws (draw) of throughput, cost, energy and what binds.

    Raises
    ------
    InputError
        Where a name is unknown, a size is unpublished, or the weights do not fit.
    """
    setup = configuration(request, tables)
    rows = make_rows(request_table(request, setup, definitions), tables)
    drawn = deployed(fits["serving"].posterior, rows, request.speed)
    price, price_note = chip_hour_price(request, setup.chip, tables, fits)
    copies = setup.n_chips / float(rows.fields["n_chips"][0])
    power = fits["chips"].posterior["facility_power_ratio"].values * setup.chip.power_w
    out = _answer(drawn, request, setup, price, power, copies)
    return out.assign_attrs(notes=[*_notes(request, setup, drawn, copies), price_note])


def deployed(fit: xr.Dataset, rows: Rows, speed: float | None = None) -> prediction.Drawn:
    """Return what configurations do, dims (draw, obs), at a speed for each user if one is asked."""
    fields = {name: values[None, :] for name, values in rows.fields.items()}
    parameters = prediction.draw_parameters(fit, rows, SEED)
    return prediction.at_speed(fields, parameters, prediction.draw_effects(fit, rows, SEED), speed)


def predict(
    table: pd.DataFrame,
    fits: "Mapping[str, Fit]",
    tables: Tables,
    definitions: Definitions,
) -> tuple[pd.DataFrame, dict[int, str]]:
    """Return quantiles of measured output tokens/s per chip for every configuration.

    Parameters
    ----------
    table : columns as ``forepass predict`` reads them; NaN where a number is left empty.
    fits, tables, definitions : as for `passes`.

    Returns
    -------
    predicted
        Columns ``output_tokens_per_s_per_chip_p05`` ... ``_p95``, indexed as ``table``, without the
        rows that cannot run.
    errors
        One sentence for each row that cannot, by its index.
    """
    names = [f"output_tokens_per_s_per_chip_p{percent:02}" for percent in PERCENTILES]
    usable, errors = _resolved(table, tables, definitions)
    fit = fits["serving"].posterior
    spaced = np.linspace(0, fit.sizes["draw"] - 1, DRAWS_PER_PREDICTION).astype(int)
    fit = fit.isel(draw=spaced)
    if usable.empty:
        return pd.DataFrame(index=usable.index, columns=names, dtype=float), errors
    rows = make_rows(usable, tables)

    def quantiles(start: int) -> Draws:
        noise = np.random.default_rng(SEED)
        part = rows.take(slice(start, start + ROWS_AT_ONCE))
        drawn = prediction.log_rate_draws(fit, part, SEED, noise=noise)
        return np.asarray(np.exp(np.percentile(drawn, PERCENTILES, axis=0)).T)

    # NumPy lets go of the interpreter while it works, so threads are enough.
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        done = list(pool.map(quantiles, range(0, len(usable), ROWS_AT_ONCE)))
    return pd.DataFrame(np.concatenate(done), index=usable.index, columns=names), errors


def _resolved(
    table: pd.DataFrame, tables: Tables, definitions: Definitions
) -> tuple[pd.DataFrame, dict[int, str]]:
    """Return the rows that can run, with names resolved and gaps filled, and why others cannot."""
    chips: dict[str, Chip | str] = {n: _found(chip_record, n, tables) for n in set(table["chip"])}
    models = {n: _found(model_record, n, tables) for n in set(table["model"])}
    filled = table.copy()
    if "date" not in filled:
        filled["date"] = ""
    filled["date"] = filled["date"].fillna("").replace("", definitions.software_date)
    verdicts: dict[tuple[object, ...], float | str] = {}
    keys = zip(table["chip"], table["model"], table["weight_bits"], table["n_chips"], strict=True)
    found = []
    for key in keys:
        if key not in verdicts:
            verdicts[key] = _bits_or_why(chips[key[0]], models[key[1]], *key[2:])
        found.append(verdicts[key])
    errors = {int(i): one for i, one in zip(table.index, found, strict=True) if type(one) is str}
    usable = [one for one in found if type(one) is not str]
    return filled.drop(index=list(errors)).assign(weight_bits=usable), errors


def _bits_or_why(
    chip: Chip | str, model: LanguageModel | str, bits: float, n_chips: float
) -> float | str:
    if isinstance(chip, str):
        return chip
    if isinstance(model, str):
        return model
    try:
        return _configured(chip, model, None if math.isnan(bits) else bits, int(n_chips)).bits
    except InputError as error:
        return str(error)


def _found[Record](
    find: Callable[[str, Tables], Record], name: str, tables: Tables
) -> "Record | str":
    try:
        return find(name, tables)
    except InputError as error:
        return str(error)


def request_table(
    request: PassesRequest, setup: Configuration, definitions: Definitions
) -> pd.DataFrame:
    """Return the request as the one row of a table of configurations.

    A speed asked for is had by all chips serving one copy, as a stated concurrency is; the batch
    that allows it is found later, and the one request written here only says so.
    """
    in_flight = 1.0 if request.speed is not None else request.concurrency
    return pd.DataFrame(
        {
            "chip": [request.chip],
            "n_chips": [setup.n_chips],
            "model": [request.model],
            "weight_bits": [setup.bits],
            "input_tokens": [request.input_tokens],
            "output_tokens": [request.output_tokens],
            "concurrency": [in_flight if in_flight else math.nan],
            "cached_share": [request.cached_share],
            "disaggregated": [request.disaggregated],
            "date": [request.date or definitions.software_date],
            "software": [request.software or ""],
        }
    )


def chip_hour_price(
    request: PassesRequest,
    chip: Chip,
    tables: Tables,
    fits: "Mapping[str, Fit]",
) -> tuple[Draws, str]:
    """Return draws of USD per chip-hour and where they come from."""
    error = fits["chips"].posterior["price_error"].values
    n_draws = len(error)
    if request.price_usd_per_chip_hour is not None:
        price = request.price_usd_per_chip_hour
        return np.full(n_draws, price), f"at {price:g} USD per chip-hour, as asked"
    prices = tables["chip_prices"]
    rented = prices[(prices["chip"] == chip.name) & prices["price_type"].isin(RENTALS)]
    rented = rented[rented["central_usd"].notna()].sort_values("date")
    if rented.empty:
        return np.full(n_draws, math.nan), "no rental price of this chip is known; give --price"
    last = rented.iloc[-1]
    rng = np.random.default_rng(SEED)
    drawn = last["central_usd"] * np.exp(error * rng.standard_normal(n_draws))
    kind = str(last["price_type"]).replace("_", " ")
    return drawn, f"at about {last['central_usd']:g} USD per chip-hour ({kind}, {last['date']})"


def _answer(
    drawn: prediction.Drawn,
    request: PassesRequest,
    setup: Configuration,
    price: Draws,
    power: Draws,
    copies: float,
) -> xr.Dataset:
    chip, model, bits, n_chips = setup.chip, setup.model, setup.bits, setup.n_chips
    computed = compute_bits(chip, bits)
    flop = physics.weight_flop_per_token(model.active_params)
    upper = physics.upper_bound(dense_flops(chip, computed), flop)
    read = physics.weight_bytes(model.active_params, bits)
    lower = physics.lower_bound(chip.memory_bandwidth_bytes_per_s, read)
    rate = drawn.rate[:, 0]
    place = np.log(rate / lower) / np.log(upper / lower)
    usd = physics.cost_per_million_tokens(price, rate)
    shares = {name: share[:, 0] for name, share in drawn.shares.items()}
    shares["memory"] = shares["weights"] + shares["kv_cache"]
    # Prompts are charged the time that they take, over the input tokens that are not cached.
    fresh = request.input_tokens * (1 - request.cached_share) or math.nan
    of_input = usd * shares["prefill"] * request.output_tokens / fresh
    unit, money = "passes/s", "USD per million tokens"
    of_upper = f"Upper bound per chip, {computed:g}-bit arithmetic"
    of_lower = f"Lower bound per chip, one request, {bits:g}-bit weights"
    of_place = "Position between the bounds in logs, 0 lower and 1 upper"
    of_all = "Cost per million output tokens, all time counted"
    of_output = usd * (1 - shares["prefill"])
    told = {
        "passes_upper_per_chip": (upper, unit, of_upper),
        "passes_lower_per_chip": (lower, unit, of_lower),
        "passes_realised_per_chip": (rate, unit, "Realised per chip"),
        "share_of_upper_bound": (rate / upper, "share", "Share of the upper bound"),
        "position_between_bounds": (place, "ratio", of_place),
        "passes_realised_total": (rate * n_chips, unit, f"Realised by {n_chips} chips"),
        "speed_per_user": (drawn.speed[:, 0], "tokens/s", "Speed that each user sees"),
        "cost_usd_per_million_tokens": (usd, money, of_all),
        "cost_usd_per_million_output_tokens": (of_output, money, DECODING),
        "cost_usd_per_million_input_tokens": (of_input, money, READING),
        **{
            f"binding_{name}": (shares[name], "share", f"Share of time bound by {words}")
            for name, words in BINDING.items()
        },
        "requests_in_flight": (drawn.batch[:, 0] * copies, "requests", "Requests in flight"),
        "energy_j_per_token": (power / rate, "J", ENERGY),
    }
    return xr.Dataset({n: described(*one, *("draw",) * np.ndim(one[0])) for n, one in told.items()})


def _notes(
    request: PassesRequest, setup: Configuration, drawn: prediction.Drawn, copies: float
) -> list[str]:
    chip, model, bits = setup.chip, setup.model, setup.bits
    computed = compute_bits(chip, bits)
    notes = [
        f"{setup.n_chips} x {chip.name} serve {_copies(copies)} of {model.name}, weights at "
        f"{bits:g} bits; "
        f"{request.input_tokens:g} tokens in and {request.output_tokens:g} out per request",
        "a pass yields one output token; a replica with fewer requests than chips falls below the "
        "lower bound, which is that of one unbatched chip",
    ]
    if computed > bits:
        notes.append(
            f"{chip.name} has no {bits:g}-bit arithmetic: weights kept at {bits:g} bits are "
            f"multiplied at {computed:g}"
        )
    short = float(np.isnan(drawn.rate).mean())
    if request.speed is not None and short > 0:
        notes.append(
            f"{request.speed:g} tokens/s per user is out of reach in {short:.0%} of draws, "
            "which count for no number"
        )
    return notes


def _copies(copies: float) -> str:
    if copies == 1:
        return "one copy"
    return f"{copies:g} copies" if copies.is_integer() else "several copies"


def described(values: Any, units: str, long_name: str, *dims: str) -> xr.DataArray:  # noqa: ANN401
    """Return values with their unit and their name in words."""
    return xr.DataArray(values, dims=dims, attrs={"units": units, "long_name": long_name})
