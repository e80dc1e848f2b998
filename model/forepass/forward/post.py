"""The post revisited: its table with intervals, and the probability that its claims hold.

References
----------
.. [1] B. Todd, "How much AI inference can we do?", 2024.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from forepass.blocks.serving.model import measured
from forepass.blocks.serving.prediction import log_rate_draws
from forepass.blocks.serving.rows import Rows, make_rows
from forepass.blocks.serving.validation import naive_rates
from forepass.forward.capacity import SEED, described
from forepass.inputs.claims import CLAIMS, Claim
from forepass.inputs.definitions import Definitions

if TYPE_CHECKING:
    from forepass.posterior import Fit

A100, H100, H200, B200 = "a100-sxm-80gb", "h100-sxm", "h200-sxm", "b200"
GPT_4, DENSE = "gpt-4", "llama-3.1-70b"
CASES = ((A100, 16), (H100, 16), (H200, 16), (B200, 16), (H100, 8), (H200, 8), (B200, 8))
TENFOLD = 10
SMALLER = f"{GPT_4} tenfold smaller"
PROMPT, ANSWER = 1000, 50
"""Tokens in and out of the request with which the post argues that both kinds add [1]_."""
TYPICAL = ("generation", "stack", "model", "engine")
"""Kinds of group whose effect counts: what single campaigns and configurations add averages out."""
BELOW_BECAUSE = ("fewer requests than chips", "prompts take the time", "experts", "other")

type Floats = NDArray[np.float64]
type Tables = Mapping[str, pd.DataFrame]
type Case = tuple[str, int, str, tuple[float, float]]
"""Chip, bits of the weights, model, and tokens in and out of a request."""


def revisit(
    fits: "Mapping[str, Fit]",
    tables: Tables,
    definitions: Definitions,
    claims: Mapping[str, Claim],
    *,
    date: str | None = None,
) -> xr.Dataset:
    """Return the post's table and claims under the posterior.

    Parameters
    ----------
    fits : of the serving block.
    tables : ``chips``, ``language_models`` and ``serving``.
    definitions : the post's load and the date of the software.
    claims : by name of `forepass.inputs.claims.CLAIMS`: the range in which each holds.
    date : of the serving software (ISO), in place of the definitions'.

    Returns
    -------
    xr.Dataset
        By case (chip and bits): ``passes_upper_per_chip``, ``passes_lower_per_chip``,
        ``passes_published`` (an analyst's estimate, NaN where none); by (draw, case):
        ``passes_realised_per_chip``, ``share_of_upper_bound``, ``times_lower_bound``,
        ``tokens_per_s_per_chip`` (prompts counted too). By draw: ``claim_NAME``. By claim:
        ``probability``. By place: ``measured_rows_outside``, the share of measured rows.
    """
    when = date or definitions.software_date
    load = (definitions.post_input_tokens, definitions.post_output_tokens)
    cases = _one_copy([(*case, GPT_4, load) for case in CASES], definitions, when, tables)
    fit = fits["serving"].posterior
    realised = _rates(fit, cases)
    bounds = naive_rates(cases)
    upper, lower = (np.exp(bounds[name]) for name in ("upper bound", "lower bound"))
    both = 1 + definitions.post_input_tokens / definitions.post_output_tokens
    out = xr.Dataset(coords={"case": [f"{chip}, {bits} bits" for chip, bits in CASES]})
    passes = "passes/s"
    for name, values, units, words in (
        ("passes_upper_per_chip", upper, passes, "Upper bound per chip"),
        ("passes_lower_per_chip", lower, passes, "Lower bound per chip"),
        ("passes_realised_per_chip", realised, passes, "Realised per chip"),
        ("share_of_upper_bound", realised / upper, "share", "Share of the upper bound"),
        ("times_lower_bound", realised / lower, "ratio", "Times the lower bound"),
        ("tokens_per_s_per_chip", realised * both, "tokens/s", "Tokens in and out per chip"),
        ("passes_published", _published(tables), passes, "Analyst's estimate per chip"),
    ):
        out[name] = described(values, units, words, *("draw", "case")[-values.ndim :])
    judged = _quantities(fit, tables, definitions, when, realised, upper, lower)
    for name in CLAIMS:
        drawn, claim = judged[name], claims[name]
        out[f"claim_{name}"] = described(drawn, claim.unit, claim.statement, "draw")
    holds = [np.mean((judged[n] >= claims[n].low) & (judged[n] <= claims[n].high)) for n in CLAIMS]
    words = "Posterior probability that the claim holds"
    out["probability"] = described(holds, "share", words, "claim")
    outside = outside_bounds(tables)
    shares = described([*outside.values()], "share", "Share of measured rows", "place")
    out["measured_rows_outside"] = shares
    out = out.assign_coords(claim=list(CLAIMS), place=list(outside))
    return out.assign_attrs(notes=_notes(definitions, when))


def outside_bounds(tables: Tables) -> dict[str, float]:
    """Return the share of measured rows above the upper bound, and below the lower by reason.

    A row below has the first reason that applies: the replica had fewer requests than chips; with
    prompt tokens counted as passes it would be above; the model is a mixture, of which a batch
    reads more weights than a pass needs. Prefill pools, which put out no tokens, do not count.
    """
    table, observed = measured(tables)
    whole = np.flatnonzero((table["scenario"] != "prefill_only").to_numpy())
    rows, log_rate = make_rows(table, tables).take(whole), observed[whole]
    f, bounds = rows.fields, naive_rates(rows)
    n_chips = table["n_chips"].to_numpy(dtype=float)[whole]
    prompts = f["input_tokens"] / np.maximum(f["output_tokens"], 1.0)
    reasons = (
        (f["concurrency"] > 0) & (f["concurrency"] < n_chips),
        log_rate + np.log1p(prompts) >= bounds["lower bound"],
        f["share_routed"] != 0,
        np.ones(len(rows), dtype=bool),
    )
    below = log_rate < bounds["lower bound"]
    found = {"above the upper bound": float(np.mean(log_rate > bounds["upper bound"]))}
    left = below
    for words, holds in zip(BELOW_BECAUSE, reasons, strict=True):
        found[f"below the lower bound: {words}"] = float(np.mean(left & holds))
        left = left & ~holds
    return found


def _rows(
    configurations: Sequence[Case], definitions: Definitions, date: str, tables: Tables
) -> Rows:
    table = pd.DataFrame(configurations, columns=["chip", "weight_bits", "model", "load"])
    loads = pd.DataFrame([*table["load"]], columns=["input_tokens", "output_tokens"])
    table = table.join(loads).assign(n_chips=definitions.post_chips, concurrency=np.nan, date=date)
    return make_rows(table, tables)


def _one_copy(
    configurations: Sequence[Case], definitions: Definitions, date: str, tables: Tables
) -> Rows:
    """Return rows with all chips serving one copy, rather than as few as hold the model."""
    rows = _rows(configurations, definitions, date, tables)
    n_chips = np.full(len(rows), float(definitions.post_chips))
    return replace(rows, fields=rows.fields | {"n_chips": n_chips, "least_chips": n_chips})


def _rates(fit: xr.Dataset, rows: Rows) -> Floats:
    """Return draws of output tokens/s per chip, dims (draw, obs), of typical deployments."""
    return np.asarray(np.exp(log_rate_draws(fit, rows, SEED, groups=TYPICAL)))


def _quantities(
    fit: xr.Dataset,
    tables: Tables,
    definitions: Definitions,
    date: str,
    realised: Floats,
    upper: Floats,
    lower: Floats,
) -> dict[str, Floats]:
    """Return the draws of what each claim is about."""
    at = {case: place for place, case in enumerate(CASES)}
    old, new, hopper = at[A100, 16], at[B200, 16], at[H100, 16]
    grown = realised[:, new] / realised[:, old]
    gain = _gain_of_a_tenth(fit, tables, definitions, date, realised[:, old])
    return {
        "tenth_of_upper_bound": realised[:, old] / upper[old],
        "fifteen_times_lower_bound": realised[:, old] / lower[old],
        "twentyfold_in_five_years": grown,
        "faster_than_flops": grown / (upper[new] / upper[old]),
        "eight_bits_double": realised[:, at[H100, 8]] / realised[:, hopper],
        "half_at_most": _highest_share(fit, tables, definitions, date),
        "tenth_of_parameters": gain,
        "less_than_linear": gain,
        "tokens_add": _time_of_a_request(fit, tables, definitions, date),
    }


def _gain_of_a_tenth(
    fit: xr.Dataset, tables: Tables, definitions: Definitions, date: str, large: Floats
) -> Floats:
    """Return the throughput of GPT-4 shrunk tenfold over that of GPT-4 itself, by draw."""
    models = tables["language_models"]
    shrunk = models[models["model"] == GPT_4].assign(model=SMALLER, aliases="")
    # Parameters go as layers times width squared, so each side shrinks by the cube root.
    for column, power in (
        ("total_params", 1.0),
        ("active_params", 1.0),
        ("n_layers", 1 / 3),
        ("kv_layers", 1 / 3),
    ):
        shrunk[column] = shrunk[column] * TENFOLD**-power
    load = (definitions.post_input_tokens, definitions.post_output_tokens)
    known = {**tables, "language_models": pd.concat([models, shrunk], ignore_index=True)}
    rows = _one_copy([(A100, 16, SMALLER, load)], definitions, date, known)
    # The same model but for its size: whatever is peculiar to GPT-4 stays.
    rows.levels["model"][:] = GPT_4
    return np.asarray(_rates(fit, rows)[:, 0] / large)


def _highest_share(fit: xr.Dataset, tables: Tables, definitions: Definitions, date: str) -> Floats:
    """Return the share of the upper bound of the best case under short requests, by draw."""
    load = (definitions.post_short_input_tokens, definitions.post_short_output_tokens)
    saturated = [(*case, model, load) for case in CASES for model in (GPT_4, DENSE)]
    rows = _rows(saturated, definitions, date, tables)
    share = _rates(fit, rows) / np.exp(naive_rates(rows)["upper bound"])
    return np.asarray(share.max(axis=1))


def _time_of_a_request(
    fit: xr.Dataset, tables: Tables, definitions: Definitions, date: str
) -> Floats:
    """Return the chip time of a prompt and a short answer over that of as many passes."""
    loads = ((PROMPT, ANSWER), (1, PROMPT + ANSWER))
    rows = _one_copy([(A100, 16, GPT_4, load) for load in loads], definitions, date, tables)
    rates = _rates(fit, rows)
    return np.asarray((ANSWER / rates[:, 0]) / ((PROMPT + ANSWER) / rates[:, 1]))


def _published(tables: Tables) -> Floats:
    """Return the estimates of GPT-4 on each case that the table of measurements carries."""
    table = tables["serving"]
    guesses = table[(table["scenario"] == "estimate") & (table["model"] == GPT_4)]
    rates = guesses["total_tokens_per_s_per_chip"].fillna(guesses["output_tokens_per_s_per_chip"])
    by_case = dict(
        zip(zip(guesses["chip"], guesses["weight_bits"], strict=True), rates, strict=True)
    )
    return np.array([by_case.get((chip, float(bits)), np.nan) for chip, bits in CASES])


def _notes(definitions: Definitions, date: str) -> list[str]:
    load = definitions.post_input_tokens, definitions.post_output_tokens
    return [
        f"{definitions.post_chips} chips of a kind serve one copy of GPT-4, {load[0]:g} tokens in "
        f"and {load[1]:g} out per request, as many requests as fit; software of {date}",
        "realised: output tokens of a typical deployment, averaged over campaigns and "
        "configurations; one deployment scatters more (forepass passes)",
        "a bound is at the precision of its case",
    ]
