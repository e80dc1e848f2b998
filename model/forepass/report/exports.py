"""The numbers of a report for machines: JSON, CSV, TeX macros, and the draws as NetCDF."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forepass import atomic
from forepass.report.numbers import Number, Numbers
from forepass.tell import render
from forepass.tell.answers import QUANTILES, made_from, tidy_rows

if TYPE_CHECKING:
    import xarray as xr

IN_CSV = ("quantity", "unit", "year", *QUANTILES)
COMPRESSION = {"zlib": True, "complevel": 4, "shuffle": True, "dtype": "float32"}
"""Half the digits say more than draws can."""
MACROS = ("", "median", "interval")
"""What the names of TeX macros end in."""
TEX = str.maketrans(
    {c: f"\\{c}" for c in "%&#_${}"}
    | {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
)


def as_json(evidence: Mapping[str, Any], cited: Mapping[str, Number]) -> str:
    """Return every quantity by year, and each number that the report tells with its text."""
    told = {key: {**asdict(number), "text": number.both} for key, number in sorted(cited.items())}
    document = {key: evidence[key] for key in ("forepass", "seed", "as_of", "inputs", "years")}
    document |= {"scenario": evidence["scenario"]["name"], "quantities": evidence["quantities"]}
    return json.dumps(document | {"cited": told}, indent=1, allow_nan=False) + "\n"


def write_csv(path: Path, evidence: Mapping[str, Any]) -> None:
    """Write a row for each quantity, year and label, quantiles before labels."""
    made = made_from(evidence)
    rows = list(tidy_rows(evidence))
    columns = dict.fromkeys([*IN_CSV, *(key for row in rows for key in row)])
    traced = (row | {"made_from": made} for row in rows)
    render.write_rows(traced, [*columns, "made_from"], path)


def as_tex(numbers: Numbers, cited: Iterable[str], years: Iterable[int]) -> str:
    r"""Return macros: ``\forepass{world_tokens_per_s@2030}`` and ``\forepassmedian{...}``.

    Of all numbers of the years that tables show, and of all that the report tells.
    """
    ends = tuple(f"@{year}" for year in years)
    keys = sorted({*cited, *(key for key in numbers if key.endswith(ends))})
    lines = [
        r"% \forepass{KEY}: the median with its unit and 80% interval; \forepassmedian{KEY},",
        r"% \forepassinterval{KEY}: either alone. A key that is none of ours is an error.",
    ]
    for macro in MACROS:
        lines.append(
            rf"\newcommand{{\forepass{macro}}}[1]{{\ifcsname forepass{macro}:#1\endcsname"
            rf"\csname forepass{macro}:#1\endcsname\else\errmessage{{no number #1}}\fi}}"
        )
    for key in keys:
        number = numbers[key]
        for macro in MACROS:
            name = rf"\csname forepass{macro}:{key}\endcsname"
            text = getattr(number, macro or "both").translate(TEX)
            lines.append(rf"\expandafter\def{name}{{{text}}}")
    return "\n".join(lines) + "\n"


def write_posterior(
    path: Path, posteriors: "Mapping[str, xr.Dataset]", drawn: "xr.Dataset", made: Mapping[str, str]
) -> None:
    """Write the draws of each block and of every quantity by year, a group each."""
    import xarray as xr

    groups = {f"/{name}": found for name, found in posteriors.items()} | {"/forecast": drawn}
    cleaned = {
        place: found.assign_attrs(
            {key: str(value) for key, value in {**found.attrs, **made}.items()}
        )
        for place, found in groups.items()
    }
    tree = xr.DataTree.from_dict(cleaned)
    encoding = {
        place: {
            name: COMPRESSION for name, array in found.data_vars.items() if array.dtype == float
        }
        for place, found in cleaned.items()
    }
    with atomic.replacing(path) as temporary:
        tree.to_netcdf(temporary, engine="h5netcdf", encoding=encoding)
