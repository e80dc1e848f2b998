"""Tokens that actors say they process, and the world's."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forepass.backtest.targets import Draws, Target, row_frame
from forepass.blocks.demand import log_world, token_reports
from forepass.inputs.dates import EPOCH_YEAR
from forepass.inputs.tables import load_table
from forepass.settings import Settings

NEEDS = ("demand",)
TARGETS = {"tokens": Target("tokens that an actor reports", "tokens/s")}
WORLD = "World"

type Floats = NDArray[np.float64]


def records(settings: Settings) -> dict[str, pd.DataFrame]:
    """Return the reports of tokens, by the actor's series of them."""
    reports = token_reports(load_table("demand", settings.data))
    series = np.array([*reports.series, WORLD])[reports.member]
    when, value = reports.when, reports.log_tokens_per_s
    about = {"third_party": reports.third_party, "words": reports.words}
    return {"tokens": row_frame(when, value, series, **about)}


def predicted(
    draws: Draws, rows: pd.DataFrame, target: str, settings: Settings, rng: np.random.Generator
) -> Floats:
    """Return draws of the log tokens per second of reports, dims (draw, report).

    A series that the fit never saw is drawn from the population, once for all its reports.
    """
    posterior, when = draws["demand"], rows["when"].to_numpy() - EPOCH_YEAR
    path_rng, own_rng, noise_rng = rng.spawn(3)
    draw = {name: posterior[name].to_numpy()[:, None] for name in posterior if name in SCALARS}
    moments, place = np.unique(when, return_inverse=True)
    world = log_world(posterior, moments, path_rng)[:, place]
    change = world - np.log(draw["world_tokens_per_s"])
    since = when - float(posterior["report"].to_numpy().max())
    known = posterior["series"].to_numpy().tolist()
    level, lead = np.empty_like(world), np.empty_like(world)
    for name in sorted(set(rows["series"])):
        z, of = own_rng.standard_normal((2, len(world), 1)), (rows["series"] == name).to_numpy()
        own = np.log(draw["world_tokens_per_s"]) + draw["actor_share"]
        own = own + draw["actor_share_spread"] * z[0]
        growth_z = z[1]
        if name == WORLD:
            own, growth_z = np.log(draw["world_tokens_per_s"]), np.zeros_like(z[1])
        elif name in known:
            at = known.index(name)
            own = posterior["log_series_tokens_per_s"].to_numpy()[:, [at]]
            growth_z = posterior["actor_growth_z"].to_numpy()[:, [at]]
        level[:, of] = own
        lead[:, of] = (name != WORLD) * draw["actor_growth_lead"]
        lead[:, of] += draw["actor_growth_spread"] * growth_z
    words = np.log(draw["chat_output_share"] / draw["tokens_per_word"]) * rows["words"].to_numpy()
    off = rows["third_party"].to_numpy() * draw["estimate_error"] ** 2
    noise = np.sqrt(draw["reporting_error"] ** 2 + off) * noise_rng.standard_normal(world.shape)
    return np.asarray(level + lead * since + change + words + noise)


SCALARS = (
    "world_tokens_per_s",
    "actor_share",
    "actor_share_spread",
    "actor_growth_lead",
    "actor_growth_spread",
    "chat_output_share",
    "tokens_per_word",
    "reporting_error",
    "estimate_error",
)
