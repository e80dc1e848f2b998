"""Guards of the forecast as a whole: nothing unread, and every structure inside the interval."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from forepass.blocks.serving.model import measured
from forepass.blocks.serving.prediction import log_rate_draws
from forepass.blocks.serving.rows import make_rows
from forepass.fit_checks.finding import Finding
from forepass.forward.forecast import forecast_of
from forepass.forward.overhang import overhang_of
from forepass.forward.projection import project, whole_span
from forepass.inputs.definitions import Definitions
from forepass.inputs.priors import Prior
from forepass.posterior import Fit, build_model
from forepass.sensitivities.beliefs import CHOICES
from forepass.sensitivities.runs import Question, held_at, thinned, values
from forepass.settings import Settings

COPIES = 5
"""Draws in which a variable is tried: one that acts in one structure alone needs several."""
NUISANCE = {
    r"_error$|_error_scale$|_error_z$|_noise$|_noise_z$": "errors of what was published",
    r"_scatter$|_spread$|_scale$|_tail$|_concentration$|_z$|_turned_bend$": "spread around a trend",
    r"^roadmap_|^price_error$": "what announcements promise beyond what ships",
    r"^rent_reserved$|^rent_spot$|^rent_by_age$": "what contracts other than on demand differ by",
    r"^actor_|^log_series|^chat_output_share|^tokens_per_word": "shares of those who report",
    r"^demand_growth_change$": "how far growth may bend on record",
    r"^gain_of_|^gain_scatter": "what published rates hold beyond compute",
    r"^probe_bias|_dense_lead|_off_frontier|^moe_|_developer": "how releases on record differ",
    r"^unstated_": "what stands in where a model or a request leaves something unsaid",
    r"^published_fleet_lead$": "how fleets that publish differ",
    r"^count_offset|^missing_share_growth": "how counts of the world differ",
}
"""Why what shapes a fit alone is there, the first whose pattern is found in the name."""
BESIDE_THE_LIKELIHOOD = {
    "chips.limit_bound_weight": "by which draws of two structures are mixed when they are fitted"
}
"""What no row informs and no run reads, and is at work between the two."""
HEADLINES = (
    "world_tokens_per_s",
    "cost_usd_per_million_tokens",
    "copies_lab",
    "copies_training_cluster",
    "run_to_train_ratio",
)
ROUNDING = 1e-11
WHO = ("forecast", "predict")
STRUCTURE_YEAR, STRUCTURE_DRAWS = 2030, 600

type Fits = Mapping[str, Fit]
type Tables = Mapping[str, pd.DataFrame]


@dataclass(frozen=True, slots=True)
class Roles:
    """What each free variable of a block's model leads to.

    Attributes
    ----------
    free : names of the free variables.
    informed : those that the likelihood depends on.
    derived : by name of a quantity that the posterior keeps, the free variables under it.
    """

    free: frozenset[str]
    informed: frozenset[str]
    derived: Mapping[str, frozenset[str]]


def roles(block: str, settings: Settings) -> Roles:
    """Return what each free variable of a block leads to, read off the graph of its model."""
    from pytensor.graph.traversal import ancestors

    model = build_model(block, settings)
    free = {variable: str(variable.name) for variable in model.free_RVs}

    def under(graphs: Sequence[Any]) -> frozenset[str]:
        return frozenset(free[node] for node in ancestors(graphs) if node in free)

    return Roles(
        frozenset(free.values()),
        under(model.observed_RVs),
        {str(variable.name): under([variable]) for variable in model.deterministics},
    )


def listened(
    fits: Fits,
    *,
    priors: Mapping[str, Mapping[str, Prior]],
    seed: int,
    definitions: Definitions,
    tables: Tables,
    copies: int = COPIES,
) -> dict[tuple[str, str], str]:
    """Return what moving each variable of each block's posterior moves, of `WHO`; "" for nothing.

    All are tried in one run: draws are told off to variables, some to each, and each draw has its
    one variable moved and all else as it was, shocks too. What differs from the plain run of the
    same draws was heard: by forecast or overhang in any year, or in what ``predict`` says of the
    measured rows. Stated beliefs go to their 10th and 90th percentile, other variables to
    the values of other draws.

    Parameters
    ----------
    copies : draws told off to each variable.

    Raises
    ------
    ArithmeticError
        Where a draw that nothing was done to differs: then draws are not run by themselves.
    """
    posteriors = {block: fit.posterior for block, fit in fits.items()}
    trials = [
        (block, name)
        for block, posterior in posteriors.items()
        # In order of name, so that the draws told off to each hang on no order of the dataset.
        for name in sorted(map(str, posterior.data_vars))
        if posterior[name].dtype.kind == "f"
        and "draw" in posterior[name].dims
        and float(posterior[name].std("draw").max()) > 0
    ]
    # The last are left alone, to see that they stay.
    size = copies * (len(trials) + 1)
    n_draws = min(posterior.sizes["draw"] for posterior in posteriors.values())
    picked = np.arange(size) * 7 % n_draws
    plain = {block: posterior.isel(draw=picked) for block, posterior in posteriors.items()}

    table = measured(tables)[0]
    # Every second row as if nobody said whose it is, which is what a user's own rows are.
    rows = make_rows(
        table.assign(campaign=table["campaign"].where(table.index % 2 == 0, "")), tables
    )

    def answers(moved: Mapping[str, xr.Dataset]) -> list[NDArray[np.float64]]:
        run = project(
            {block: replace(fits[block], posterior=moved[block]) for block in fits},
            whole_span(definitions),
            seed=seed,
            definitions=definitions,
            tables=tables,
        )
        years = run.years
        with np.errstate(all="ignore"):
            told = [forecast_of(run, years), overhang_of(run, years)]
        by_year = [
            array.transpose("draw", ...).values.reshape(size, -1)
            for one in told
            for array in one.data_vars.values()
        ]
        return [np.concatenate(by_year, axis=1), log_rate_draws(moved["serving"], rows, seed)]

    base = answers(plain)
    moved = np.zeros((len(WHO), size), dtype=bool)
    for level, step in ((0.1, 1), (0.9, 3)):
        other = {block: posterior.copy() for block, posterior in plain.items()}
        for place, (block, name) in enumerate(trials):
            here = slice(place * copies, (place + 1) * copies)
            old = posteriors[block][name].transpose("draw", ...)
            new = other[block][name].transpose("draw", ...).values.astype(float).copy()
            if name in priors[block]:
                new[here] = np.quantile(old.values, level, axis=0)
            else:
                new[here] = old.values[(picked[here] + step) % n_draws]
            other[block] = other[block].assign({name: (old.dims, new)})
        for who, (was, now) in enumerate(zip(base, answers(other), strict=True)):
            # To rounding, which sums over draws side by side may leave.
            same = np.isclose(was, now, rtol=ROUNDING, atol=0.0, equal_nan=True)
            moved[who] |= ~same.all(axis=1)
    if moved[:, -copies:].any():
        whose = [name for name, of in zip(WHO, moved, strict=True) if of[-copies:].any()]
        raise ArithmeticError(f"a draw that nothing was done to differs in {whose}: please report")
    of_trials = moved.reshape(len(WHO), -1, copies).any(axis=2)[:, :-1]
    found = [WHO[int(np.argmax(of))] if of.any() else "" for of in of_trials.T]
    return dict(zip(trials, found, strict=True))


def heard(found: Mapping[tuple[str, str], str], graph: Mapping[str, Roles]) -> Finding:
    """Check that every free variable moves an answer, or shapes a fit in a role that is stated.

    A variable counts as heard where what the posterior derives from it is.

    Parameters
    ----------
    found : as `listened` returns it.
    graph : by block.
    """
    values, short = {}, []
    for block, role in graph.items():
        by: dict[str, str] = {}
        # The predicted rows first, so that what the forecast hears stands last and counts.
        for who in reversed(WHO):
            of_block = {
                name for (of, name), by_whom in found.items() if (of, by_whom) == (block, who)
            }
            through = {one for name in of_block for one in role.derived.get(name, frozenset())}
            by |= dict.fromkeys(of_block | through, who)
        for name in sorted(role.free):
            reason = next((why for what, why in NUISANCE.items() if re.search(what, name)), "")
            reason = reason if name in role.informed else ""
            reason = by.get(name) or BESIDE_THE_LIKELIHOOD.get(f"{block}.{name}") or reason
            values[f"{block}.{name}"] = reason or "unused"
            if reason:
                continue
            why = "shapes the fit alone" if name in role.informed else "nothing reads it"
            short.append(f"{block}.{name}: moves no answer; {why}")
    many = [sum(value == who for value in values.values()) for who in WHO]
    return Finding(
        "forecast",
        "nothing unread",
        not short,
        f"of {len(values)} free variables {many[0]} move the forecast, {many[1]} predictions of "
        f"rows, {len(values) - sum(many) - len(short)} only fits, {len(short)} nothing",
        "each moves an answer, or shapes a fit in a stated role",
        short,
        values,
    )


def structures(
    fits: Fits, *, seed: int, definitions: Definitions, tables: Tables, draws: int = STRUCTURE_DRAWS
) -> Finding:
    """Check that each choice of structure moves a headline, its sides inside the 80% interval."""
    whole = {block: fit.posterior for block, fit in fits.items()}
    few = thinned(whole, draws)
    sides: dict[str, list[dict[str, xr.Dataset]]] = {
        f"{block}.{name}": [held_at(few, block, name, side) for side in (0.0, 1.0)]
        for block, name in CHOICES
        if name in few[block]
    }
    bound = whole["chips"]["limit_bound"].values > 0
    if 0 < bound.mean() < 1:
        # Each draw of the chips was fitted in its structure, and belongs to no other.
        size = few["chips"].sizes["draw"]
        sides["chips.limit_bound"] = [
            {**few, "chips": whole["chips"].isel(draw=np.resize(np.flatnonzero(of), size))}
            for of in (~bound, bound)
        ]
    memory: dict[tuple[object, ...], tuple[object, ...]] = {}
    told: dict[str, Any] = {}
    short = []
    questions = [Question(name, STRUCTURE_YEAR, tables, definitions, seed) for name in HEADLINES]
    shipped = [np.nanquantile(values(q, few, memory=memory), [0.1, 0.5, 0.9]) for q in questions]
    for name, both in sides.items():
        moved = False
        for question, (low, middle, high) in zip(questions, shipped, strict=True):
            found = [float(np.nanmedian(values(question, side, memory=memory))) for side in both]
            moved = moved or found[0] != found[1]
            told[f"{name}: {question.quantity}"] = {
                "no": float(np.exp(found[0])),
                "yes": float(np.exp(found[1])),
                "p10": float(np.exp(low)),
                "p50": float(np.exp(middle)),
                "p90": float(np.exp(high)),
            }
            if not all(low <= value <= high for value in found):
                short.append(
                    f"{name}: medians of {question.quantity}, "
                    f"{np.exp(found[0]):.3g} without and {np.exp(found[1]):.3g} with, "
                    f"not inside {np.exp(low):.3g} to {np.exp(high):.3g}"
                )
        if not moved:
            short.append(f"{name}: either way the headlines are the same")
    return Finding(
        "forecast",
        "structures",
        not short,
        f"{len(sides)} choices of structure, both sides' medians of {len(HEADLINES)} headlines "
        f"in {STRUCTURE_YEAR} inside the 80% interval",
        "each choice moves a headline; medians of either side lie inside the shipped 80% interval",
        short,
        told,
    )
