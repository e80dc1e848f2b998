"""Which measurement would narrow an answer most, from the draws: expected value of information."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from forepass.sensitivities import runs
from forepass.sensitivities.beliefs import Belief
from forepass.sensitivities.runs import Question
from forepass.sensitivities.variance_shares import closed_of_covariance, interval, smoothed
from forepass.streams import block_rng

RESAMPLES = 100

type Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Measurement:
    """Something that could be measured.

    Attributes
    ----------
    of : a quantity by year, measured in the year of the newest source, or a belief's key.
    words : what would be done.
    error : standard deviation of the measurement, in logs for a quantity, in the belief's unit for
        a belief.
    """

    of: str
    words: str
    error: float


MEASUREMENTS = (
    Measurement(
        "passes_realised_per_chip", "benchmark of the newest part, its frontier model", 0.15
    ),
    Measurement(
        "frontier_active_params", "size of the year's closed frontier models disclosed", 0.1
    ),
    Measurement("moe_activation_fraction", "sparsity of closed frontier models disclosed", 0.1),
    Measurement("weight_bits", "weight format of closed frontier models disclosed", 0.05),
    Measurement("fleet_chips", "count of the world's deployed chips", 0.05),
    Measurement("fleet_power", "metered power of the world's AI sites", 0.05),
    Measurement("inference_share", "split of the fleet's compute, reported by its owners", 0.05),
    Measurement("demand_tokens_per_s", "tokens processed, reported by all large providers", 0.1),
    Measurement("cost_usd_per_million_tokens", "audited cost of serving one frontier model", 0.15),
    Measurement("serving.effect_production", "a fleet's throughput beside its benchmark", 0.1),
    Measurement("serving.effect_software_date", "one setup benchmarked again a year later", 0.05),
    Measurement("demand.agents_share_2026", "agents' share of inference compute reported", 0.05),
    Measurement("demand.agents_input_tokens", "lengths of agents' turns, from traces", 2000.0),
    Measurement("chips.roadmap_slip", "delivery dates of parts on roadmaps", 0.25),
)
"""With errors that a careful measurement of each might have."""


@dataclass(frozen=True, slots=True)
class Worth:
    """What a measurement is expected to do to the variance of the log of a quantity.

    Attributes
    ----------
    explained : share of the variance that is expected to go; low, high its 90% interval.
    """

    measurement: Measurement
    explained: float
    low: float
    high: float


def shrinkage(explained: float) -> float:
    """Return the share by which a normal's interval shrinks as a share of its variance goes."""
    return float(1 - np.sqrt(1 - min(max(explained, 0.0), 1.0)))


def worth(
    question: Question,
    posteriors: Mapping[str, xr.Dataset],
    logs: Floats,
    beliefs: Iterable[Belief],
    *,
    measured_in: int,
    measurements: Iterable[Measurement] = MEASUREMENTS,
) -> list[Worth]:
    """Return what each measurement is worth, the most first.

    What would be measured is drawn: the quantity in the draw's own world, with an error. The
    variance that goes is that of the answer's mean given the measurement [1]_.

    Parameters
    ----------
    logs : of the quantity asked about, dims (draw,), in the posteriors' own pairing.
    measured_in : year in which quantities would be measured.

    References
    ----------
    .. [1] M. Strong, J. Oakley, A. Brennan, "Estimating multiparameter partial expected value of
       perfect information from a probabilistic sensitivity analysis sample", Medical Decision
       Making 34, 2014.
    """
    found = []
    by_key = {belief.key: belief.draws for belief in beliefs}
    memory: runs.Memory = {}
    for measurement in measurements:
        if measurement.of in by_key:
            seen = by_key[measurement.of]
        elif (measurement.of, measured_in) != (question.quantity, question.year):
            then = replace(question, quantity=measurement.of, year=measured_in)
            seen = runs.values(then, posteriors, memory=memory)
        else:
            continue
        known = np.isfinite(seen) & np.isfinite(logs)
        noise = block_rng(question.seed, f"measurement {measurement.of}")
        readings = seen + measurement.error * noise.standard_normal(len(seen))
        told = smoothed(readings[known, None], logs[known], resamples=RESAMPLES, seed=question.seed)
        one = [np.array([0])]
        share = float(closed_of_covariance(told.covariance, one, told.rows)[1])
        low, high = interval(closed_of_covariance(told.resampled, one, told.rows)[:, 1])
        found.append(Worth(measurement, max(share, 0.0), float(low), float(high)))
    return sorted(found, key=lambda one: -one.explained)
