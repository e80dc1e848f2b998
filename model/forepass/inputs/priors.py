"""Beliefs as stated in priors/*.toml, turned into distributions and checked."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from typing import Any

from forepass.errors import InputError
from forepass.inputs.earlier import FILE as EARLIER
from forepass.inputs.earlier import JUDGEMENT as JUDGEMENT
from forepass.inputs.earlier import load_earlier
from forepass.inputs.elicitation import (
    LEVELS,
    ElicitationError,
    parameters_from_mode,
    parameters_from_quantiles,
    quantile,
)
from forepass.inputs.families import FAMILIES, LOG, LOGIT
from forepass.inputs.text_files import suggest
from forepass.inputs.toml_files import (
    check_fields,
    check_tables,
    number,
    read_tables,
    text_field,
)
from forepass.rooms import room

BLOCKS = ("chips", "language_models", "serving", "fleet", "training", "demand")

AGREEMENT = 0.25
"""Share of a belief's width by which the median of its wider version may differ."""

REQUIRED = ("distribution", "unit", "source", "rationale")
PEAK = ("mode", "interval", "mass")
OPTIONAL = (*LEVELS, *PEAK, "support")

# Files of the folder that hold something other than a block's beliefs.
OTHER_FILES = ("definitions.toml", "claims.toml", "comparisons.toml", EARLIER)


@dataclass(frozen=True, slots=True)
class Prior:
    """A belief about one number.

    Attributes
    ----------
    block, name
        Whose variable it is; `name` is the key in the file and the variable in the posterior.
    distribution, parameters
        PyMC's name of the family and of its parameters.
    quantiles
        As stated; of a prior stated by its mode, the p10, p50 and p90 that follow.
    unit, source, rationale
        Of the number; where the belief comes from; why these quantiles.
    file
        The file that states it, for messages.
    support
        The least and greatest value that the quantity can have.
    """

    block: str
    name: str
    distribution: str
    parameters: dict[str, float]
    quantiles: dict[str, float]
    unit: str
    source: str
    rationale: str
    file: str
    support: tuple[float, float] = (-math.inf, math.inf)


def load_priors(block: str, folder: Traversable | None = None) -> dict[str, Prior]:
    """Return the priors of a block by name, from ``folder`` or the shipped priors/."""
    tables, file = read_tables(f"{block}.toml", folder)
    return {name: _prior(block, name, table, file) for name, table in tables.items()}


def load_all(folder: Traversable | None = None) -> dict[str, dict[str, Prior]]:
    """Return the priors by block and name, and refuse a TOML file that nothing reads."""
    place, label = (room("priors"), "priors") if folder is None else (folder, str(folder))
    known = [*(f"{block}.toml" for block in BLOCKS), *OTHER_FILES]
    if not place.is_dir():
        raise InputError(f"{label}: no such folder of priors")
    for name in sorted(entry.name for entry in place.iterdir()):
        if name.endswith(".toml") and name not in known:
            raise InputError(f"{label}/{name}: nothing reads it; {suggest(name, known)}")
    return {block: load_priors(block, folder) for block in BLOCKS}


def expect(priors: Mapping[str, Prior], names: Iterable[str], block: str) -> None:
    """Refuse a block's priors unless they are the ones that its model uses."""
    file = next((prior.file for prior in priors.values()), f"priors/{block}.toml")
    unused = f"the {block} model does not use it"
    check_tables(priors, names, fields=(*REQUIRED, "quantiles"), unused=unused, file=file)


def check_sources(priors: Iterable[Prior], keys: Collection[str]) -> None:
    """Refuse a source that is neither "judgement" nor one of the keys of data/sources.csv."""
    for prior in priors:
        for key in source_keys(prior):
            if key != JUDGEMENT and key not in keys:
                hint = suggest(key, [*keys, JUDGEMENT])
                if not hint.startswith("did you mean"):
                    hint = 'add it there, or write "judgement"'
                raise InputError(
                    f"{prior.file}: {prior.name}: source {key!r} is not in data/sources.csv; {hint}"
                )


def check_earlier(
    priors: Mapping[str, Mapping[str, Prior]], folder: Traversable | None = None
) -> None:
    """Refuse a fallback of earlier.toml that is no wider version of its belief.

    Medians agree within a quarter of the belief's own width from p10 to p90, all on the scale of
    the belief's family; of a scale, which one quantile states, the quantile is larger.
    """
    _, earlier = load_earlier(folder)
    for block, stated in earlier.items():
        expect_names = f"{block}.toml has no such belief"
        known = priors.get(block, {})
        check_tables(
            stated, known, fields=("kind",), unused=expect_names, file=f"{EARLIER} {block}"
        )
        for name, table in stated.items():
            now, where = known[name], f"{EARLIER}: {block}.{name}"
            about = {"unit": now.unit, "support": list(now.support)}
            then = _prior(block, name, {**table, **about}, EARLIER)
            if then.distribution != now.distribution:
                raise InputError(f"{where}: must be {now.distribution}, got {then.distribution}")
            (low, middle, high), (before_low, before_middle, before_high) = (
                _on_own_scale(prior) for prior in (now, then)
            )
            if not before_high - before_low > high - low:
                raise InputError(
                    f"{where}: must be wider than {block}.toml states; set p10 and p90"
                )
            scale = FAMILIES[now.distribution].quantiles == 1
            if not scale and abs(before_middle - middle) > AGREEMENT * (high - low):
                raise InputError(f"{where}: must have about the same median; move p10 and p90")


def _on_own_scale(prior: Prior) -> Any:  # noqa: ANN401 - three numbers
    """Return p10, median and p90: in logs or logits where the range of the prior ends."""
    values = quantile(prior, [LEVELS[label] for label in ("p10", "p50", "p90")])
    family = FAMILIES[prior.distribution]
    if family.quantiles == 1 or math.isinf(family.lower):
        return values
    return (LOG if math.isinf(family.upper) else LOGIT).forward(values)


def source_keys(prior: Prior) -> list[str]:
    """Return the keys of a prior's sources, "judgement" among them."""
    return [key.strip() for key in prior.source.split(";")]


def _prior(block: str, name: str, table: dict[str, Any], file: str) -> Prior:
    where = f"{file}: {name}"
    check_fields(table, required=REQUIRED, optional=OPTIONAL, where=where)
    distribution = text_field(table, "distribution", where)
    if distribution not in FAMILIES:
        raise InputError(
            f"{where}: unknown distribution {distribution!r}; {suggest(distribution, FAMILIES)}"
        )
    words = {field: text_field(table, field, where) for field in ("unit", "source", "rationale")}
    if not all(key.strip() for key in words["source"].split(";")):
        raise InputError(f"{where}: source has an empty key; join keys with one ;")
    support = (-math.inf, math.inf)
    if "support" in table:
        support = _pair(table, "support", where, finite=False)
    _check_support(distribution, support, where)
    parameters, stated = _elicited(distribution, table, where)
    for label, value in stated.items():
        if not support[0] <= value <= support[1]:
            raise InputError(
                f"{where}: {label} = {value:g} is outside support = "
                f"[{support[0]:g}, {support[1]:g}]; change one of them"
            )
    quantiles = {label: value for label, value in stated.items() if label in LEVELS}
    prior = Prior(
        block, name, distribution, parameters, quantiles, **words, file=file, support=support
    )
    if not quantiles:  # stated by its mode
        for label in ("p10", "p50", "p90"):
            quantiles[label] = float(quantile(prior, LEVELS[label]))
    return prior


def _elicited(
    distribution: str, table: dict[str, Any], where: str
) -> tuple[dict[str, float], dict[str, float]]:
    """Return the parameters, and the stated numbers by the label that a message gives them."""
    quantiles = {label: number(table[label], label, where) for label in LEVELS if label in table}
    peak = [field for field in PEAK if field in table]
    if peak and quantiles:
        raise InputError(
            f"{where}: {peak[0]} and {next(iter(quantiles))} are both given; state either "
            "quantiles, or mode, interval and mass"
        )
    try:
        if not peak:
            return parameters_from_quantiles(distribution, quantiles), quantiles
        if missing := [field for field in PEAK if field not in table]:
            raise InputError(
                f"{where}: {missing[0]} is missing; mode, interval and mass go together"
            )
        interval = _pair(table, "interval", where)
        mode, mass = (number(table[field], field, where) for field in ("mode", "mass"))
        parameters = parameters_from_mode(distribution, mode=mode, interval=interval, mass=mass)
    except ElicitationError as error:
        raise InputError(f"{where}: {error}") from None
    return parameters, {"mode": mode, "interval low": interval[0], "interval high": interval[1]}


def _pair(
    table: dict[str, Any], field: str, where: str, *, finite: bool = True
) -> tuple[float, float]:
    value = table[field]
    if not isinstance(value, list) or len(value) != 2:
        raise InputError(f"{where}: {field} must be two numbers, as in {field} = [0, 1]")
    low, high = (number(end, field, where, finite=finite) for end in value)
    if not low < high:
        raise InputError(f"{where}: {field} = [{low:g}, {high:g}] must rise; put the low end first")
    return low, high


def _check_support(distribution: str, support: tuple[float, float], where: str) -> None:
    """Refuse a family that puts mass where the quantity cannot be."""
    low, high = support
    family = FAMILIES[distribution]
    if low <= family.lower and family.upper <= high:
        return
    fitting = [
        other.name for other in FAMILIES.values() if low <= other.lower and other.upper <= high
    ]
    mend = f"choose among {', '.join(fitting)}" if fitting else "change the unit or the support"
    raise InputError(
        f"{where}: {distribution} takes values {family.range}, beyond support = "
        f"[{low:g}, {high:g}]; {mend}"
    )
