"""``forepass priors``: the beliefs, listed, shown, checked and plotted."""

import argparse
import textwrap
from dataclasses import replace
from importlib import import_module
from importlib.resources.abc import Traversable
from typing import TYPE_CHECKING, Any

from forepass.commands import arguments
from forepass.commands.arguments import Command
from forepass.commands.output import source_titles, tell
from forepass.errors import InputError
from forepass.inputs import claims, comparisons
from forepass.inputs.definitions import Definitions, load_definitions
from forepass.inputs.rows import read_rows
from forepass.inputs.text_files import suggest
from forepass.settings import Settings
from forepass.tell import render

if TYPE_CHECKING:
    from forepass.inputs.priors import Prior

EXAMPLE = """\
examples:
  forepass priors list
  forepass priors show growth_bandwidth
  forepass priors check --priors my-priors
  forepass priors plot --out figures
"""

LISTED = ("p10", "p50", "p90")
WIDTH = 100


def _list(args: argparse.Namespace, settings: Settings) -> int:
    records = [_record(prior) for prior in _all_priors(settings)]
    headers = ["prior", "block", "distribution", *LISTED, "unit", "source"]
    rows = [
        [
            *(record[field] for field in ("name", "block", "distribution")),
            *(_shown(record["quantiles"][level]) for level in LISTED),
            *(record[field] for field in ("unit", "source")),
        ]
        for record in records
    ]
    tell(args, render.table(rows, headers), priors=records)
    return 0


def _show(args: argparse.Namespace, settings: Settings) -> int:
    records = [_record(prior) for prior in _named(args.name, _all_priors(settings))]
    sources = source_titles(settings.data, "url")
    text = "\n\n".join(_description(record, sources) for record in records)
    tell(args, text, priors=records)
    return 0


def _check(args: argparse.Namespace, settings: Settings) -> int:
    from forepass.inputs import priors

    loaded = priors.load_all(settings.priors)
    sources = source_titles(settings.data)
    for block, found in loaded.items():
        priors.expect(found, import_module(f"forepass.blocks.{block}").PRIORS, block)
        priors.check_sources(found.values(), sources)
    if settings.as_of is None:
        priors.check_earlier(loaded, settings.priors)
    _check_references(load_definitions(settings.priors), settings.data)
    claims.load_claims(settings.priors)
    comparisons.load_comparisons(
        settings.priors, settings.data, seen_only=settings.as_of is not None
    )
    scenarios = _check_scenarios(settings, loaded, sources)
    counts = {block: len(found) for block, found in loaded.items()}
    lines = [f"{block}: {count} priors, as its model uses them" for block, count in counts.items()]
    lines.append("sources, definitions, claims and comparisons: known")
    lines.append(f"scenarios: {len(scenarios)}, as their priors allow")
    tell(args, "\n".join(lines), checked=counts, scenarios=scenarios)
    return 0


def _check_scenarios(
    settings: Settings, beliefs: "dict[str, dict[str, Prior]]", sources: dict[str, str]
) -> list[str]:
    """Return the names of the scenarios once each is known to be possible."""
    from forepass.inputs import priors
    from forepass.what_if import intervention_names, replaced_priors, scenarios

    stated = load_definitions(settings.priors)
    names = scenarios.scenario_names(settings.priors)
    for name in names:
        scenario = scenarios.load_scenario(name, settings.priors)
        for key in (key.strip() for key in scenario.source.split(";")):
            if not (settings.as_of or key in sources or key == priors.JUDGEMENT):
                hint = 'add it there, or write "judgement"'
                where = scenario.layers[-1].where
                raise InputError(f"{where}: source {key!r} is not in data/sources.csv; {hint}")
        own = beliefs
        if scenario.priors():
            own = priors.load_all(replaced_priors.overlaid(scenario, settings).priors)
        of = replace(stated, **scenario.definitions())
        _check_references(of, settings.data)
        intervention_names.resolve(scenario, own, of)
    return names


def _plot(args: argparse.Namespace, settings: Settings) -> int:
    from forepass.tell import figures, prior_figures

    everything = _all_priors(settings)
    chosen = [prior for name in args.names for prior in _named(name, everything)]
    figure = prior_figures.draw_figure(chosen or everything)
    paths = [str(path) for path in figures.save_figure(figure, args.out, "priors")]
    tell(args, "\n".join(paths), written=paths)
    return 0


def _add_name(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="prior, such as growth_bandwidth")


def _add_plot_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("names", metavar="NAME", nargs="*", help="prior (default: all)")
    arguments.add_out(parser, "folder to write to")


COMMAND = Command(
    "priors",
    "list, show, check and plot the beliefs",
    EXAMPLE,
    actions=(
        Command("list", "every prior with its quantiles, unit and source", "", _list),
        Command("show", "one prior with its sources and rationale", "", _show, _add_name),
        Command("check", "every prior against its model, its data and itself", "", _check),
        Command("plot", "densities of priors, as PNG and SVG", "", _plot, _add_plot_options),
    ),
)


def _all_priors(settings: Settings) -> "list[Prior]":
    from forepass.inputs.priors import load_all

    return [prior for found in load_all(settings.priors).values() for prior in found.values()]


def _named(name: str, priors: "list[Prior]") -> "list[Prior]":
    """Return the priors called ``name``, or ``block.name`` where two blocks share a name."""
    found = [prior for prior in priors if name in (prior.name, f"{prior.block}.{prior.name}")]
    if not found:
        hint = suggest(name, [prior.name for prior in priors])
        hint = hint if hint.startswith("did you mean") else "see forepass priors list"
        raise InputError(f"no prior {name!r}; {hint}")
    return found


def _record(prior: "Prior") -> dict[str, Any]:
    from forepass.inputs.elicitation import LEVELS, quantile
    from forepass.inputs.priors import source_keys

    values = quantile(prior, list(LEVELS.values()))
    as_stated = ("name", "block", "distribution", "parameters", "unit", "rationale", "file")
    return {
        **{field: getattr(prior, field) for field in as_stated},
        "quantiles": dict(zip(LEVELS, map(float, values), strict=True)),
        "source": ";".join(source_keys(prior)),
    }


def _description(record: dict[str, Any], sources: dict[str, str]) -> str:
    numbers = ", ".join(f"{name} = {value:.4g}" for name, value in record["parameters"].items())
    titles = {**sources, "judgement": "our own judgement"}
    lines = [
        f"{record['name']} [{record['unit']}], {record['block']} block, {record['file']}",
        f"{record['distribution']}({numbers})",
        ", ".join(f"{level} {_shown(value)}" for level, value in record["quantiles"].items()),
        *(f"{key}: {titles.get(key, '?')}" for key in record["source"].split(";")),
        *textwrap.wrap(record["rationale"], WIDTH - 2),
    ]
    return "\n  ".join(lines)


def _check_references(definitions: Definitions, data: Traversable) -> None:
    """Refuse reference names that the tables do not have."""
    for table, column, field in (
        ("chips", "chip", "reference_chip"),
        ("chips", "vendor", "reference_vendor"),
        ("language_models", "model", "reference_model"),
    ):
        rows = read_rows(data / f"{table}.csv")
        known = sorted(set(rows.column(column)))
        name = getattr(definitions, field)
        if name not in known:
            raise InputError(
                f"priors/definitions.toml: {field}: {name!r} is not in {rows.file}; "
                f"{suggest(name, known)}"
            )


def _shown(value: float) -> str:
    """Return three figures, without an exponent up to a million."""
    return f"{float(f'{value:.3g}'):g}"
