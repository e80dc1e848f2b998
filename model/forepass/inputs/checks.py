"""Cross-checks of the tables: figures that are sound alone and doubtful together."""

from collections.abc import Iterator, Mapping
from datetime import date

import pandas as pd

from forepass import physics
from forepass.inputs.chip_checks import RATE_4, RATE_16, check_chips, eight_bit_rate
from forepass.inputs.dates import first_day, last_day, year_fraction
from forepass.inputs.findings import Finding, finding, neighbour_ratio
from forepass.inputs.records import chip_index, model_index

type Tables = Mapping[str, pd.DataFrame]

SEEN = ("measured", "disclosed")
DATE_COLUMNS = {
    "chip_prices": "date",
    "training": "release_date",
    "serving": "date",
    "chip_stock": "quarter_end",
    "fleet": "date",
    "demand": "date",
    "language_models": "release_date",
}
SLIP = 30.0  # a slip of unit is a thousandfold; what stands together here differs by far less
PARAMETER_SLIP = 300.0
SAME_SIZE = 0.02
LONGEST_PREVIEW_YEARS = 1.0
SECONDS_PER_DAY = 86_400.0
FLOP_PER_PARAMETER_AND_TRAINING_TOKEN = 6
KEY_AND_VALUE = 2
UNIFORM_ATTENTION = ("mha", "gqa", "mqa")


def check_tables(tables: Tables, as_of: str | None = None) -> list[Finding]:
    """Return what is doubtful in the tables, all or some, by file and line.

    ``as_of`` is the date up to which things can have been seen: the newest source's unless given.
    """
    findings = [*_dates(tables, as_of), *_known_too_soon(tables)]
    if "chips" in tables:
        chip_index(tables)
        findings += check_chips(tables["chips"])
    if "language_models" in tables:
        model_index(tables)
        findings += _models(tables["language_models"])
    if "chip_prices" in tables:
        findings += _prices(tables["chip_prices"])
    if "chips" in tables and "chip_stock" in tables:
        findings += _stock(tables)
    if "chips" in tables and "language_models" in tables:
        findings += _training(tables) if "training" in tables else ()
        findings += _serving(tables) if "serving" in tables else ()
    return sorted(findings, key=lambda found: (found.file, found.line, found.column))


def newest_source(sources: pd.DataFrame) -> date | None:
    """Return the last day that the newest dated source can be of; a bare year is no such date."""
    dates = [text for text in sources["date"].dropna() if len(text) > len("YYYY")]
    return max(map(last_day, dates), default=None)


def _dates(tables: Tables, as_of: str | None) -> Iterator[Finding]:
    newest = last_day(as_of) if as_of else None
    if newest is None and "sources" in tables:
        newest = newest_source(tables["sources"])
    if newest is None:
        return
    mend = f"the newest source is of {newest}"
    if "chips" in tables:
        chips = tables["chips"]
        for row in chips.index[chips["shipped"] & _after(chips["release_date"], newest)]:
            yield finding(chips, row, "release_date", "a shipped chip with a date to come", mend)
    for name, column in DATE_COLUMNS.items():
        if name in tables:
            frame = tables[name]
            for row in frame.index[frame["status"].isin(SEEN) & _after(frame[column], newest)]:
                yield finding(frame, row, column, "seen at a date to come", mend)


def _known_too_soon(tables: Tables) -> Iterator[Finding]:
    """Yield what was known before what it is of, though it was measured or disclosed."""
    for name, column in (DATE_COLUMNS | {"chips": "release_date"}).items():
        if name in tables:
            frame = tables[name]
            for row in frame.index[frame["status"].isin(SEEN) & frame[column].notna()]:
                known, own = frame.loc[row, "known"], frame.loc[row, column]
                if isinstance(known, str) and last_day(known) < first_day(own):
                    yield finding(frame, row, "known", f"known before its {column}", f"it is {own}")


def _after(dates: pd.Series, newest: date) -> pd.Series:
    return dates.map(lambda text: isinstance(text, str) and first_day(text) > newest).astype(bool)


def _models(models: pd.DataFrame) -> Iterator[Finding]:
    active, total = models["active_params"], models["total_params"]
    whole = active >= (1 - SAME_SIZE) * total
    for row in models.index[models["architecture"].eq("dense") & active.notna() & ~whole]:
        message = "a dense model that does not use all its parameters"
        yield finding(models, row, "active_params", message, "is it a mixture of experts?")
    for row in models.index[models["architecture"].eq("moe") & whole]:
        message = "a mixture of experts that uses all its parameters"
        yield finding(models, row, "active_params", message, "give the parameters of one token")
    years = models["release_date"].map(year_fraction)
    for column in ("total_params", "active_params"):
        ratio = neighbour_ratio(models[column], years)
        for row in models.index[(ratio > PARAMETER_SLIP) | (ratio < 1 / PARAMETER_SLIP)]:
            message = f"{ratio[row]:.2g} times the usual size at its time"
            yield finding(models, row, column, message, "give parameters, not billions of them")
    yield from _caches(models)


def _caches(models: pd.DataFrame) -> Iterator[Finding]:
    numbers = KEY_AND_VALUE * models["kv_layers"] * models["n_kv_heads"] * models["head_dim"]
    plain = models[models["attention"].isin(UNIFORM_ATTENTION)]
    for row in plain.index:
        expected = float(physics.weight_bytes(numbers[row], 16))
        if abs(models.loc[row, "kv_bytes_per_token_16bit"] / expected - 1) > SAME_SIZE:
            message = f"layers, heads and head size give {expected:.6g}"
            mend = "2 x KV layers x KV heads x head size x 2 bytes"
            yield finding(models, row, "kv_bytes_per_token_16bit", message, mend)


def _prices(prices: pd.DataFrame) -> Iterator[Finding]:
    for _, quotes in prices.groupby("price_type"):
        price = quotes["central_usd"].fillna(quotes["low_usd"]).fillna(quotes["high_usd"])
        ratio = neighbour_ratio(price, quotes["date"].map(year_fraction))
        for row in quotes.index[(ratio > SLIP) | (ratio < 1 / SLIP)]:
            column = "central_usd" if pd.notna(quotes.loc[row, "central_usd"]) else "low_usd"
            message = f"{ratio[row]:.2g} times the prices of its kind and time"
            mend = "purchases are per chip, rentals per chip-hour, in dollars"
            yield finding(prices, row, column, message, mend)


def _training(tables: Tables) -> Iterator[Finding]:
    runs = tables["training"]
    active = runs["model"].map(tables["language_models"].set_index("model")["active_params"])
    peak = runs["chip"].map(tables["chips"].set_index("chip")[RATE_16])
    rule = FLOP_PER_PARAMETER_AND_TRAINING_TOKEN * active * runs["training_tokens"]
    for row, ratio in (runs["training_flop"] / rule).items():
        if ratio > SLIP or ratio < 1 / SLIP:
            message = f"{ratio:.2g} times 6 x active parameters x tokens"
            yield finding(runs, int(str(row)), "training_flop", message, "look for a slip of unit")
    chip_seconds = runs["n_chips"] * runs["duration_days"] * SECONDS_PER_DAY
    implied = runs["training_flop"] / (chip_seconds * peak)
    for row in runs.index[implied > 1]:
        message = f"the chips would run at {implied[row]:.2g} of their 16-bit peak"
        mend = "look at chips, days and FLOP together"
        yield finding(runs, row, "training_flop", message, mend)
    for row in runs.index[(implied / runs["utilisation"] < 1 / 3)]:
        message = f"FLOP, chips and days give {implied[row]:.2g}"
        yield finding(runs, row, "utilisation", message, "look at chips, days and FLOP together")


def _serving(tables: Tables) -> Iterator[Finding]:
    runs, chips = tables["serving"], tables["chips"].set_index("chip")
    models = tables["language_models"].set_index("model")
    rates = pd.DataFrame({16: chips[RATE_16], 8: eight_bit_rate(chips), 4: chips[RATE_4]})
    flop = physics.weight_flop_per_token(runs["model"].map(models["active_params"]))
    bound = physics.upper_bound(runs["chip"].map(rates.max(axis=1)), flop)
    for column in ("total_tokens_per_s_per_chip", "output_tokens_per_s_per_chip"):
        for row in runs.index[runs[column] > bound]:
            message = f"above the compute bound of {bound[row]:.4g}"
            yield finding(runs, row, column, message, "is it the rate of the whole replica?")
    output = runs["output_tokens_per_s_per_chip"] * runs["n_chips"]
    users = output / runs["speed_tokens_per_s_per_user"]
    for row in runs.index[users > 1.1 * runs["concurrency"]]:
        message = f"output and speed mean at least {users[row]:.4g} requests in flight"
        mend = "concurrency counts requests on the whole replica"
        yield finding(runs, row, "concurrency", message, mend)
    years = runs["date"].map(year_fraction)
    for column, things in (("chip", chips), ("model", models)):
        early = runs[column].map(things["release_date"].map(year_fraction)) - years
        for row in runs.index[early > LONGEST_PREVIEW_YEARS]:
            message = f"the {column} came {early[row]:.1f} years later"
            yield finding(runs, row, "date", message, f"look at the date and at the {column}")


def _stock(tables: Tables) -> Iterator[Finding]:
    stock, chips = tables["chip_stock"], tables["chips"].set_index("chip")
    lines = stock.sort_values("quarter_end").groupby(["designer", "chip", "since"])
    fall = lines["units_p50"].diff()
    for row in stock.index[fall.reindex(stock.index) < 0]:
        message = "a running sum that falls from one quarter to the next"
        yield finding(stock, row, "units_p50", message, "units are counted since the date in since")
    rate = stock["chip"].map(eight_bit_rate(chips).fillna(chips[RATE_16]))
    per_rate = stock["h100e_p50"] / stock["units_p50"] / rate
    ratio = per_rate / per_rate.median()
    for row in stock.index[(ratio > 1.5) | (ratio < 1 / 1.5)]:
        message = f"{ratio[row]:.2g} times what units and the chip's 8-bit rate give"
        yield finding(stock, row, "h100e_p50", message, "look at units, the chip, or its rate")
