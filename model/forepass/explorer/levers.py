"""What a reader of the page may set: shares and rates, copies' speed, model size, precision."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from forepass.explorer.ingredients import at_speed, narrowed, served_at_will
from forepass.forward.projection import CALENDAR_ORIGIN, Projection, project, whole_span
from forepass.inputs.dates import year_fraction
from forepass.what_if import intervention_names
from forepass.what_if.scenarios import Scenario, as_asked, with_layer

if TYPE_CHECKING:
    from forepass.what_if.changed import Changed

__all__ = ["Lever", "levers", "runs"]

type Floats = NDArray[np.float64]

COPY_SPEEDS = (10.0, 20.0, 30.0, 50.0, 75.0, 100.0, 150.0, 200.0, 400.0)
ACTIVE_PARAMS = (1e10, 2.2e10, 4.6e10, 1e11, 2.2e11, 4.6e11, 1e12)
WEIGHT_BITS = (4, 8, 16)


@dataclass(frozen=True, slots=True)
class Lever:
    """A quantity or definition that the page sets, as ``--set`` would.

    Attributes
    ----------
    option : what stands before the equals sign of ``--set``.
    low, high, steps : of its slider; in logs where ``log``.
    levels : values of it that the model was run at; none where setting it is arithmetic.
    base : its value as believed, where that is one number.
    between : whether the page interpolates between the levels, in logs; otherwise it stops at them.
    sets : the ingredient that becomes the value itself; empty where none does.
    since : first year that it holds; 0 for all.
    """

    name: str
    option: str
    title: str
    unit: str
    low: float
    high: float
    log: bool
    start: float
    levels: tuple[float, ...] = ()
    base: float | None = None
    between: bool = False
    sets: str = ""
    since: int = 0

    def record(self) -> dict[str, Any]:
        """Return the lever as the page reads it."""
        return asdict(self)


def levers(found: "Changed") -> list[Lever]:
    """Return what can be set, from the year after the record of software on where it is by year."""
    after = int(year_fraction(found.definitions.software_date) + CALENDAR_ORIGIN) + 1
    speed = found.definitions.copy_speed_tokens_per_s
    return [
        Lever(
            name="copy_speed_tokens_per_s",
            option="copy_speed_tokens_per_s",
            title="Speed of a copy",
            unit="tokens/s",
            low=min(speed, COPY_SPEEDS[0]),
            high=max(speed, COPY_SPEEDS[-1]),
            log=True,
            start=speed,
            # What a draw's fleet cannot give at all ends between two speeds, so none is guessed.
            levels=tuple(one for one in COPY_SPEEDS if one != speed),
            base=speed,
            sets="speed",
        ),
        Lever(
            name="human_tokens_per_s",
            option="human_tokens_per_s",
            title="Human token rate",
            unit="tokens/s",
            low=0.5,
            high=50,
            log=True,
            start=5,
            sets="human_rate",
        ),
        _share("inference_share", "Inference share", after),
        _share("duty_cycle", "Duty cycle", after),
        Lever(
            name="weight_bits",
            option=f"weight_bits@{after}",
            title="Precision served",
            unit="bits",
            low=WEIGHT_BITS[0],
            high=WEIGHT_BITS[-1],
            log=True,
            start=8,
            levels=WEIGHT_BITS,
            since=after,
        ),
        Lever(
            name="frontier_active_params",
            option=f"frontier_active_params@{after}",
            title="Model size, active",
            unit="parameters",
            low=ACTIVE_PARAMS[0],
            high=ACTIVE_PARAMS[-1],
            log=True,
            start=1e11,
            levels=ACTIVE_PARAMS,
            between=True,
            sets="active",
            since=after,
        ),
    ]


def _share(name: str, title: str, since: int) -> Lever:
    return Lever(
        name=name,
        option=f"{name}@{since}",
        title=title,
        unit="share",
        low=0.05,
        high=0.95,
        log=False,
        start=0.5,
        sets=name,
        since=since,
    )


def runs(
    lever: Lever,
    found: "Changed",
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
        for name, values in _at_level(lever, level, found, scenario, believed, years, seed).items():
            out.setdefault(name, []).append(values)
        done(f"{lever.title.lower()} {level:g}")
    return out


def _at_level(
    lever: Lever,
    level: float,
    found: "Changed",
    scenario: Scenario,
    believed: Projection,
    years: Sequence[int],
    seed: int,
) -> dict[str, Floats]:
    if lever.sets == "speed":
        definitions = replace(found.definitions, copy_speed_tokens_per_s=level)
        return at_speed(replace(believed, definitions=definitions))
    asked = with_layer(scenario, as_asked([f"{lever.option}={level:g}"]))
    projection = project(
        found.fits,
        whole_span(found.definitions),
        seed=seed,
        definitions=found.definitions,
        tables=found.tables,
        interventions=intervention_names.resolve(asked, found.priors, found.definitions),
    )
    late = narrowed(projection, years)
    return served_at_will(late, reference=not lever.sets) | at_speed(late)
