"""Which beliefs and quantities can be changed, and what a scenario's names and values come to."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import partial
from itertools import combinations

import numpy as np

from forepass.blocks.demand.workloads import KINDS
from forepass.errors import InputError
from forepass.forward import forecast, overhang
from forepass.forward.deployed import benchmark_to_deployment
from forepass.forward.projection import (
    CALENDAR_ORIGIN,
    FORWARD,
    Floats,
    Projection,
    Tables,
    project,
    whole_span,
)
from forepass.forward.throughput import (
    Parts,
    reference_load,
    reference_served,
    served,
    throughput,
    workloads,
)
from forepass.inputs.dates import year_fraction
from forepass.inputs.definitions import Definitions
from forepass.inputs.elicitation import ElicitationError, parameters_from_quantiles
from forepass.inputs.families import FAMILIES
from forepass.inputs.priors import Prior
from forepass.inputs.text_files import suggest
from forepass.posterior import Fit
from forepass.what_if.interventions import Amount, Change, Interventions, Pin
from forepass.what_if.scenarios import Asked, Scenario

SHARE, LEVEL, BITS, GROUP = "share", "level", "bits", "group"
GROUPS = {"chip_flops": ("chip_flops_16bit", "chip_flops_8bit", "chip_flops_4bit")}
QUANTITIES: dict[str, dict[str, str]] = {
    "chips": {
        **dict.fromkeys(GROUPS["chip_flops"], LEVEL),
        "chip_flops": GROUP,
        **dict.fromkeys(("chip_bandwidth", "chip_memory", "chip_power"), LEVEL),
        **dict.fromkeys(("chip_scale_up_bandwidth", "chip_price_usd"), LEVEL),
        **dict.fromkeys(("chip_hour_cost_usd", "memory_wall_ratio"), LEVEL),
    },
    "language_models": {
        **dict.fromkeys(("frontier_active_params", "frontier_total_params"), LEVEL),
        "moe_activation_fraction": SHARE,
        **dict.fromkeys(("kv_bytes_per_token", "frontier_layers"), LEVEL),
        "weight_bits": BITS,
    },
    "fleet": {
        **dict.fromkeys(("chips_shipped", "power_shipped"), LEVEL),
        **dict.fromkeys(("inference_share", "lab_share", "duty_cycle", "availability"), SHARE),
    },
    "training": {
        **dict.fromkeys(("training_flop", "training_tokens_per_param", "training_days"), LEVEL),
        "training_utilisation": SHARE,
    },
    "demand": {
        "demand_tokens_per_s": LEVEL,
        "workload_cached_share": SHARE,
        **{
            f"workload_{name}{kind}": what
            for name, what in (("input_tokens", LEVEL), ("output_tokens", LEVEL))
            for kind in ("", *(f".{kind}" for kind in KINDS))
        },
        **{
            f"workload_{name}.{kind}": SHARE for name in ("share", "cached_share") for kind in KINDS
        },
    },
}
"""The quantities by year that can be changed, by block, and of what sort each is; of those of a
kind of work, the kind stands after a dot."""
ANSWERS = (*forecast.SHOWN, *overhang.ORDER, "release_overhang")
UNREAD = ("max_context_tokens", "moe_share", "memory_wall", "chips_retired", "chips_waiting")
"""Of the forward run, what nothing downstream reads."""
DRAWS_TO_LISTEN = 200
FIXES = (
    ("memory_wall_ratio", "chip_bandwidth"),
    ("chips_shipped", "power_shipped"),
    *(
        (f"workload_share.{one}", f"workload_share.{other}")
        for one, other in combinations(KINDS, 2)
    ),
)
"""Quantities of which one, when changed, fixes the other."""

type Beliefs = Mapping[str, Mapping[str, Prior]]
type Target = tuple[str, str, bool]
"""A block, a name in it, and whether that is a quantity by year."""


def names(beliefs: Beliefs) -> list[str]:
    """Return every short name that can be changed."""
    of_beliefs = {name for found in beliefs.values() for name in found}
    return sorted(of_beliefs | {name for found in QUANTITIES.values() for name in found})


def resolve(scenario: Scenario, beliefs: Beliefs, definitions: Definitions) -> Interventions:
    """Return what a scenario's pins and shifts come to, later layers overriding earlier ones.

    Parameters
    ----------
    beliefs : the priors by block and name, for names, families and supports.
    definitions : their first and last years bound what can be changed; what is told no year is
        changed from the year after the software date on.

    Raises
    ------
    InputError
        Where a name is unknown, a value impossible, or one layer contradicts itself.
    """
    found: dict[Target, tuple[str, Asked, str]] = {}
    for layer in scenario.layers:
        own: dict[Target, str] = {}
        for name, asked in layer.changes.items():
            where = f"{layer.where}: {name}"
            target = _target(name, asked, beliefs, where)
            if target in own:
                raise InputError(f"{where}: {own[target]} is the same; keep one of the two")
            own[target] = name
            found[target] = (name, asked, where)
        for block, tables in layer.priors.items():
            for prior in tables:
                if (block, prior, False) in own:
                    raise InputError(
                        f"{layer.where}: {prior} is pinned and its prior replaced; keep one of both"
                    )
                found.pop((block, prior, False), None)
    _check_together(found)
    pins, changes = [], []
    for (block, name, by_year), (called, asked, where) in found.items():
        if by_year:
            changes += _changes(block, name, called, asked, definitions, where)
        else:
            pins.append(Pin(block, name, _of_belief(beliefs[block][name], asked, where)))
    order = [*QUANTITIES["chips"], *(name for found in QUANTITIES.values() for name in found)]
    changes.sort(key=lambda change: order.index(f"{change.name}.{change.kind}".strip(".")))
    return Interventions(tuple(pins), tuple(changes))


def _target(name: str, asked: Asked, beliefs: Beliefs, where: str) -> Target:
    """Return which belief or quantity a name means."""
    block, _, rest = name.partition(".")
    blocks = [block] if block in beliefs else list(beliefs)
    short = rest if block in beliefs else name
    for_year = asked.since is not None or asked.how != "value"
    quantities = [(one, short, True) for one in blocks if short in QUANTITIES.get(one, {})]
    priors = [(one, short, False) for one in blocks if short in beliefs[one]]
    if for_year and priors and not quantities:
        raise InputError(f"{where}: a belief holds for all years; pin it, without a year")
    found = quantities if for_year or not priors else priors
    if short in ANSWERS and len(blocks) > 1 and not quantities:
        hint = f"; the {found[0][0]} block's belief is {found[0][0]}.{short}" if found else ""
        raise InputError(f"{where}: follows from the rest, so it cannot be set{hint}")
    if len(found) > 1:
        ways = " or ".join(f"{one}.{short}" for one, *_ in found)
        raise InputError(f"{where}: several blocks have it; write {ways}")
    if not found:
        known = {n for one in blocks for n in (*beliefs[one], *QUANTITIES.get(one, {}))}
        hint = suggest(short, sorted(known))
        hint = hint if hint.startswith("did you mean") else "see forepass priors list"
        raise InputError(f"{where}: no such belief or quantity; {hint}")
    return found[0]


def _check_together(found: Mapping[Target, tuple[str, Asked, str]]) -> None:
    asked = {name: where for (_, name, by_year), (_, _, where) in found.items() if by_year}
    for one, other in FIXES:
        if one in asked and other in asked:
            raise InputError(f"{asked[one]}: {other}, changed too, fixes it; keep one of the two")


def _of_belief(prior: Prior, asked: Asked, where: str) -> Amount:
    """Return what a belief is pinned at, refused where it cannot be that."""
    family = FAMILIES[prior.distribution]
    low, high = max(prior.support[0], family.lower), min(prior.support[1], family.upper)
    for value in {asked.low, asked.high}:
        # A share may lie on its ends; what is above 0 may not be 0.
        if not low <= value <= high or (value == low and np.isinf(high)):
            bounds = f"between {low:g} and {high:g}" if np.isfinite(high) else f"above {low:g}"
            raise InputError(f"{where}: must be {bounds} ({prior.unit}), got {value:g}")
    return _amount(prior.distribution, asked, where)


def _amount(distribution: str, asked: Asked, where: str) -> Amount:
    if asked.low == asked.high:
        return Amount(asked.low, asked.high)
    try:
        ends = {"p10": asked.low, "p90": asked.high}
        parameters = parameters_from_quantiles(distribution, ends)
    except ElicitationError as error:
        raise InputError(f"{where}: {error}") from None
    return Amount(asked.low, asked.high, distribution, parameters)


def _changes(
    block: str, name: str, called: str, asked: Asked, definitions: Definitions, where: str
) -> list[Change]:
    """Return the changes of one quantity by year, or of each of a group."""
    sort = QUANTITIES[block][name]
    first, last = definitions.first_year, definitions.last_year
    after = int(year_fraction(definitions.software_date) + CALENDAR_ORIGIN) + 1
    since = after if asked.since is None else asked.since
    if not first < since <= last:
        raise InputError(f"{where}: the year must lie within {first + 1} to {last}, got {since}")
    positive, shown = asked.how in ("value", "times"), Amount(asked.low, asked.high)
    upper = 1.0 if sort == SHARE and asked.how == "value" else np.inf
    low_ok = asked.low > 0 or (asked.low == 0 and sort == SHARE)
    if positive and not (low_ok and asked.high <= upper):
        bounds = "from 0 to 1" if upper == 1 else "above 0"
        raise InputError(f"{where}: must be {bounds}, got {shown}")
    exact = asked.how == "value" and asked.low == asked.high
    if sort == BITS and not (exact and asked.low in (4, 8, 16)):
        raise InputError(f"{where}: can only be set to 4, 8 or 16, got {asked.how} {shown}")
    if sort == GROUP and asked.how == "value":
        raise InputError(f"{where}: stands for {', '.join(GROUPS[name])}; set one of these")
    family = "Normal" if not positive else "LogitNormal" if upper == 1 else "LogNormal"
    amount = _amount(family, asked, where)
    whole, _, kind = name.partition(".")
    return [
        Change(block, one, asked.how, amount, since, kind, called)
        for one in GROUPS.get(name, (whole,))
    ]


def check_heard(
    fits: "Mapping[str, Fit]",
    pins: Iterable[Pin],
    *,
    seed: int,
    definitions: Definitions,
    tables: Tables,
) -> None:
    """Refuse a pin that moves nothing, or that makes something no number.

    A belief that only shapes a fit has done its work when the forward run starts.
    """
    pins = tuple(pins)
    if not pins:
        return
    few = {
        name: replace(fit, posterior=fit.posterior.isel(draw=slice(DRAWS_TO_LISTEN)))
        for name, fit in fits.items()
    }
    span = whole_span(definitions)

    def run(*pins: Pin) -> list[Floats]:
        of = Interventions(pins)
        # What is at the edge of what can be gives infinities, which are judged below.
        with np.errstate(all="ignore"):
            done = project(
                few, span, seed=seed, definitions=definitions, tables=tables, interventions=of
            )
            return _told(done)

    plain = None
    for pin in pins:
        plain = plain or run()
        moved = run(pin)
        told = f"{pin.block}.{pin.name}"
        for was, now in zip(plain, moved, strict=True):
            if np.isfinite(was).all() and not np.isfinite(now).all():
                raise InputError(f"{told} = {pin.amount}: gives no number; take one further inside")
        if all(map(partial(np.array_equal, equal_nan=True), plain, moved)):
            raise InputError(
                f"{told}: pinning it moves no answer, as it only shapes the fit of its block; "
                f"replace its prior under [priors.{told}] in a scenario, and the block is refitted"
            )


def _told(projection: Projection) -> list[Floats]:
    """Return all that an answer could read of a run, serving in two years included."""
    found = [
        np.asarray(values.values, dtype=float)
        for block in FORWARD
        for name, values in getattr(projection, block).data_vars.items()
        if name not in UNREAD
    ]
    years = np.array([projection.years[-9], projection.years[-2]])
    for what in (served(projection, years), reference_served(projection, years)):
        for load in (*workloads(projection, years), *reference_load(projection)):
            one = throughput(projection, what, load, Parts(years), software_year=years)
            found += [one.rate, one.prefill]
    return [*found, benchmark_to_deployment(projection)]
