"""What the draws of the blocks are beliefs about: names in words, subjects, and kinds of evidence.

A belief is a variable of a block's posterior, or one place of a variable with dims: a prior that
somebody elicited, or a level, path or effect that was fitted along with the priors.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy import special

from forepass.errors import InputError
from forepass.inputs.families import FAMILIES
from forepass.inputs.priors import JUDGEMENT, Prior, source_keys
from forepass.inputs.text_files import suggest

KINDS = ("judgement", "published", "data", "structure")
SHOCKS = "future shocks"
UNTRACED = "not traced"
"""What no belief told apart explains by itself: many small ones, and how they act together."""
LEARNED = 0.5
"""Share of a prior's variance that data must take away for the belief to count as theirs."""

FARTHEST = 37.0
"""Standard score of a draw at the very end of its range: doubles know no smaller share."""

type Floats = NDArray[np.float64]

SUBJECTS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "chips": (
        ("memory wall", r"^memory_wall|^wall_|^bend_reversion"),
        ("limits of power and stacks in chips", r"^power_room|^stacks_|^limit_bound"),
        (
            "cost of owning chips",
            r"price|^attached|^depreciation|^capital|^hours_sold|^facility|^hosting|^rent",
        ),
        ("chips' trend", ""),
    ),
    "language_models": (
        ("precision served", r"^bits|^serving_bits"),
        ("sparsity", r"fraction|^moe_"),
        ("contexts and cache", r"context|^kv_|^kind_"),
        ("algorithmic progress", r"gain"),
        ("model size", ""),
    ),
    "serving": (
        ("deployment against benchmark", r"^effect_production|^published_fleet"),
        ("software", r"software|^effect_chip_age|engine|stack|speculative"),
        ("gains of low precision", r"gain_\dbit|stored_bits"),
        ("models and generations yet to come", r"^model_|^generation_|^z_model|^z_generation"),
        ("serving physics", ""),
    ),
    "fleet": (
        ("supply limits", r"^power_limit|^pack|^memory_limit|^spending|^usd_per|^limit_"),
        ("use of the fleet", r"^inference_share|^duty|^availability|^share_drift|^lab_"),
        ("growth of the fleet", r"longrun|halflife|_shock$|^mix_"),
        ("power of the fleet", r"^server_overhead|^pue|^contracted|^power_scatter"),
        ("fleet stock", ""),
    ),
    "training": (("training runs", ""),),
    "demand": (
        ("workload mix", r"^chat_|^agents_|^batch_|^request_|^speed_"),
        ("human work", r"^human|^tokens_per_word"),
        ("demand", ""),
    ),
}
"""Subjects of each block's variables, the first whose pattern is found in the name."""
STRUCTURE = re.compile(r"_saturating$|^limit_bound$|^record_limit_bound$")
CHOICES = (
    ("language_models", "active_saturating"),
    ("language_models", "fraction_saturating"),
    ("language_models", "context_saturating"),
    ("training", "record_limit_bound"),
)
"""Weights of a structure that each draw takes or leaves when it is run forward."""
TITLES = {
    "effect_production": "deployed fleet against benchmark",
    "published_fleet_lead": "lead of fleets that publish over others",
    "effect_software_date": "yearly gain of serving software",
    "software_gain_halflife": "half-life of the gain of serving software",
    "effect_chip_age": "handicap of software for a new chip",
    "active_2025": "active parameters in 2025",
    "active_limit": "active parameters at which growth would saturate",
    "active_saturating": "chance that model size saturates",
    "fraction_saturating": "chance that sparsity saturates",
    "context_saturating": "chance that contexts saturate",
    "limit_bound": "whether limits bind chips' growth",
    "pue": "facility power over server power",
    "life": "life of a chip",
    "source_error": "error common to counts of the fleet",
    "bits_8_middle": "when 8-bit weights became the rule",
    "bits_4_delay": "delay of 4-bit weights after 8-bit",
    "bits_pace": "pace at which weight formats change",
    "bits_4_ceiling": "chance that 4 bits ever become the rule",
}
"""Names in words, where the variable's own, with its underlines gone, would say little."""
WORDS = {
    "kv": "KV",
    "usd": "USD",
    "us": "(microseconds)",
    "h100e": "H100e",
    "longrun": "in the long run",
    "tdp": "power",
    "halflife": "half-life",
    "fraction": "active share",
    "active": "model size",
    "agents": "agents'",
    "batch": "batch jobs'",
    "chat": "chat's",
    "unstated": "unpublished",
}


@dataclass(frozen=True, slots=True)
class Belief:
    """One number of a block's posterior.

    Attributes
    ----------
    block, variable, label : whose it is; the coordinates of a variable with dims, in words.
    place : among the flattened places of the variable; None where it has no dims but draw.
    draws : dims (draw,).
    prior : what was believed before the data, where somebody said so.
    """

    block: str
    variable: str
    label: str
    place: int | None
    draws: Floats
    prior: Prior | None

    @property
    def key(self) -> str:
        """Return its name as a user types it."""
        name = f"{self.block}.{self.variable}"
        return f"{name}[{self.label}]" if self.label else name

    @property
    def words(self) -> str:
        """Return its name in words."""
        return title(self.variable) + (f" ({self.label.replace('_', ' ')})" if self.label else "")

    @property
    def subject(self) -> str:
        """Return the subject that it belongs to, within its block."""
        name = f"{self.variable} {self.label}"
        return next(words for words, found in SUBJECTS[self.block] if re.search(found, name))


def title(variable: str) -> str:
    """Return the name of a variable in words."""
    words = (WORDS.get(word, word) for word in variable.split("_"))
    text = TITLES.get(variable, " ".join(words))
    return text[0].upper() + text[1:]


def all_beliefs(
    posteriors: Mapping[str, xr.Dataset], priors: Mapping[str, Mapping[str, Prior]]
) -> Iterator[Belief]:
    """Yield every number that varies over the draws of the blocks, elicited ones first."""
    for block, posterior in posteriors.items():
        names = sorted(map(str, posterior.data_vars), key=lambda n: (n not in priors[block], n))
        for name in names:
            array = posterior[name].transpose("draw", ...)
            columns = np.ascontiguousarray(
                array.values.reshape(array.sizes["draw"], -1).T, dtype=float
            )
            dims = array.dims[1:]
            labels = [
                " ".join(map(str, at)) for at in product(*(array[dim].values for dim in dims))
            ]
            moving = columns.max(axis=1) > columns.min(axis=1)
            for place in np.flatnonzero(moving).tolist():
                yield Belief(
                    block,
                    name,
                    labels[place] if dims else "",
                    place if dims else None,
                    columns[place],
                    priors[block].get(name),
                )


def prior_scores(prior: Prior, draws: Floats) -> Floats:
    """Return the standard scores of draws among what the prior expects: normal before the data."""
    family = FAMILIES[prior.distribution]
    base = family.base(**prior.parameters)
    values = family.link.forward(draws) if family.link else draws
    # Each tail by its own logarithm, or far draws would all be at infinity.
    below, above = base.logcdf(values), base.logsf(values)
    scores = np.where(below < above, special.ndtri_exp(below), -special.ndtri_exp(above))
    return np.clip(scores, -FARTHEST, FARTHEST)


def contraction(belief: Belief) -> float | None:
    """Return the share of the prior's variance that data took away, on the scale of its ranks.

    None for what nobody elicited by itself. Below zero where the posterior is wider.
    """
    if belief.prior is None:
        return None
    return float(1 - np.var(prior_scores(belief.prior, belief.draws)))


def kind(belief: Belief) -> str:
    """Return what the belief rests on, of `KINDS`.

    Structure is the choice between forms of a model. Data are what was fitted: a prior of which
    data took away half the variance or more, and paths and effects. Of the rest, what cites no
    source is judgement, and published otherwise.
    """
    if STRUCTURE.search(belief.variable):
        return "structure"
    learned = contraction(belief)
    if belief.prior is None or learned is None or learned >= LEARNED:
        return "data"
    return "judgement" if set(source_keys(belief.prior)) == {JUDGEMENT} else "published"


def check_name(name: str, priors: Mapping[str, Mapping[str, Prior]]) -> None:
    """Refuse a name that no elicited belief has, with the closest ones."""
    known = [
        f"{block}.{one}" if "." in name else one for block, own in priors.items() for one in own
    ]
    if name.split("[")[0] not in known:
        close = suggest(name, known)
        hint = close if close.startswith("did you mean") else "`forepass priors list` names them"
        raise InputError(f"no belief {name!r}; {hint}")


def find(name: str, beliefs: Iterable[Belief]) -> Belief:
    """Return the belief that a user names, by its key, or by its variable where that is enough.

    Raises
    ------
    InputError
        Where there is not just one.
    """
    elicited = [belief for belief in beliefs if belief.prior is not None]
    bare = name.split("[")[0]
    found = [belief for belief in elicited if name in (belief.key, belief.variable)]
    if len(found) == 1:
        return found[0]
    alike = [b.key for b in elicited if bare in (b.variable, f"{b.block}.{b.variable}")]
    hint = f"write one of {', '.join(map(repr, alike))}" if alike else "it is the same in all draws"
    raise InputError(f"{name!r} is not the name of one belief; {hint}")
