"""What a reader of the page may set: shares and rates, copies' speed, model size, precision."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from forepass.explorer.ingredients import at_speed, narrowed, served_at_will
from forepass.forward.projection import CALENDAR_ORIGIN, Projection
from forepass.inputs.dates import year_fraction
from forepass.what_if import intervention_names
from forepass.what_if.changed import Changed, projected
from forepass.what_if.scenarios import Scenario, as_asked, with_layer

type Floats = NDArray[np.float64]

COPY_SPEEDS = (10.0, 20.0, 30.0, 50.0, 75.0, 100.0, 150.0, 200.0, 400.0)
ACTIVE_PARAMS = (1e10, 2.2e10, 4.6e10, 1e11, 2.2e11, 4.6e11, 1e12)
WEIGHT_BITS = (4, 8, 16)


@dataclass(frozen=True, slots=True)
class Lever:
    """A quantity or definition that the page sets, as ``--set`` would.

    Attributes
    ----------
    low, high, start : of its slider; in logs where ``log``.
    levels : values of it that the model was run at; none where setting it is arithmetic.
    base : its value as believed, where that is one number.
    between : whether the page interpolates between the levels, in logs; otherwise it stops at them.
    sets : the ingredient that becomes the value itself; empty where none does.
    since : first year that it holds; 0 for all.
    """

    name: str
    title: str
    unit: str
    low: float
    high: float
    start: float
    log: bool = True
    levels: tuple[float, ...] = ()
    base: float | None = None
    between: bool = False
    sets: str = ""
    since: int = 0

    @property
    def option(self) -> str:
        """What stands before the equals sign of ``--set``."""
        return f"{self.name}@{self.since}" if self.since else self.name


def levers(found: Changed) -> list[Lever]:
    """Return what can be set, from the year after the record of software on where it is by year."""
    after = int(year_fraction(found.definitions.software_date) + CALENDAR_ORIGIN) + 1
    speed = found.definitions.copy_speed_tokens_per_s
    slowest, fastest = min(speed, COPY_SPEEDS[0]), max(speed, COPY_SPEEDS[-1])
    # What a draw's fleet cannot give at all ends between two speeds, so none is guessed.
    speeds = tuple(one for one in COPY_SPEEDS if one != speed)
    bits, sizes = (WEIGHT_BITS[0], WEIGHT_BITS[-1], 8), (ACTIVE_PARAMS[0], ACTIVE_PARAMS[-1], 1e11)
    return [
        Lever(
            *("copy_speed_tokens_per_s", "Speed of a copy", "tokens/s", slowest, fastest, speed),
            levels=speeds,
            base=speed,
            sets="speed",
        ),
        Lever("human_tokens_per_s", "Human token rate", "tokens/s", 0.5, 50, 5, sets="human_rate"),
        _share("inference_share", "Inference share", after),
        _share("duty_cycle", "Duty cycle", after),
        Lever("weight_bits", "Precision served", "bits", *bits, levels=WEIGHT_BITS, since=after),
        Lever(
            *("frontier_active_params", "Model size, active", "parameters", *sizes),
            levels=ACTIVE_PARAMS,
            between=True,
            sets="active",
            since=after,
        ),
    ]


def _share(name: str, title: str, since: int) -> Lever:
    return Lever(name, title, "share", 0.05, 0.95, 0.5, log=False, sets=name, since=since)


def runs(
    lever: Lever,
    found: Changed,
    scenario: Scenario,
    believed: Projection,
    *,
    seed: int,
    done: Callable[[str], None],
) -> dict[str, list[Floats]]:
    """Return what the lever changes at each of its levels, by ingredient, dims (year, draw).

    Years are those of ``believed`` from the lever's first on.
    """
    years = [year for year in believed.years.tolist() if year >= lever.since]
    out: dict[str, list[Floats]] = {}
    for level in lever.levels:
        if lever.sets == "speed":
            definitions = replace(found.definitions, copy_speed_tokens_per_s=level)
            changed = at_speed(replace(believed, definitions=definitions))
        else:
            asked = with_layer(scenario, as_asked([f"{lever.option}={level:g}"]))
            names = intervention_names.resolve(asked, found.priors, found.definitions)
            late = narrowed(projected(replace(found, interventions=names), seed), years)
            changed = served_at_will(late, reference=not lever.sets) | at_speed(late)
        for name, values in changed.items():
            out.setdefault(name, []).append(values)
        done(f"{lever.title.lower()} {level:g}")
    return out
