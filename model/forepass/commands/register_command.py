"""``forepass register``: forecasts recorded for good, listed, compared and scored."""

import argparse
import sys
import tempfile
from collections.abc import Mapping
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

from forepass.commands import arguments, scenario_options
from forepass.commands.arguments import Command
from forepass.commands.by_year_commands import add_span, years_asked
from forepass.commands.fitting import CheckError
from forepass.commands.output import say_written, tell
from forepass.errors import InputError
from forepass.inputs.dates import last_day
from forepass.register import change, forecasts, kept_inputs, scores, text
from forepass.register import folder as registers
from forepass.register.folder import Entry, Register
from forepass.settings import Settings
from forepass.tell import answers, render
from forepass.what_if.scenarios import Scenario, as_asked, load_scenario, plain, with_layer

EXAMPLE = """\
examples:
  forepass register record --reason "stock of the third quarter added"
  forepass register list
  forepass register show latest --years 2026,2030
what changed from one to the next, and what of it is due to data, priors, code or seed
  forepass register diff 2026-11 latest --attribute
how the recorded forecasts have fared against what has become known since
  forepass register score
whether anything was altered; the newest hash as noted elsewhere
  forepass register verify --head 3f9a
"""


def _read(args: argparse.Namespace) -> Register:
    """Return the register; what is wrong with it is said, and the rest serves."""
    found = registers.read_register(_folder(args))
    for fault in found.faults:
        print(f"forepass: register: {fault}", file=sys.stderr)
    return found


def _folder(args: argparse.Namespace) -> Path:
    chosen: Path = args.register or registers.default_folder()
    return chosen


def _record(args: argparse.Namespace, settings: Settings) -> int:
    folder = _folder(args)
    registers.check_reason(args.reason)
    years = years_asked(args, settings)
    scenario = scenario_options.scenario_from(args, settings)
    inputs, contents = kept_inputs.describe(settings, scenario)
    document = dict(_forecast(args, settings, scenario, years))
    if kept_inputs.describe(settings, scenario)[0] != inputs:
        raise InputError("data, priors or code changed while the forecast was made; record again")
    del document["request"]
    asked = {"name": scenario.name, "set": args.set, "content": scenario.content()}
    document |= {"inputs": inputs, "scenario": asked}
    kept_inputs.keep_copies(folder, contents)
    entry = registers.record(folder, document, reason=args.reason, today=date.today())
    tell(args, f"recorded {entry.name}\nhash {entry.hash}", entry=entry.name, hash=entry.hash)
    say_written(args, folder / entry.name)
    return 0


def _forecast(
    args: argparse.Namespace, settings: Settings, scenario: Scenario, years: list[int]
) -> Mapping[str, Any]:
    """Return the document of a forecast as an entry holds it, from the cache where it is kept."""
    asked = {"years": years, "unsafe_ignore_checks": args.unsafe_ignore_checks}
    return answers.answer(
        "register",
        asked | {"scenario": scenario.content()},
        settings,
        draw=partial(scenario_options.drawn, scenario, [forecasts.question], args, settings, years),
        build=forecasts.build,
    )


def _list(args: argparse.Namespace, _: Settings) -> int:
    found = _read(args)
    keys = ("created", "reason", "forepass", "seed", "as_of", "scenario")
    records = [
        {"entry": entry.name, "hash": entry.hash} | {key: entry.document[key] for key in keys}
        for entry in found.entries
    ]
    tell(args, text.list_text(found.entries), entries=records, faults=found.faults)
    return 0


def _show(args: argparse.Namespace, _: Settings) -> int:
    entry = registers.find(_read(args), args.entry)
    shown = "" if args.json else text.entry_text(entry, args.years)
    tell(args, shown, entry=entry.name, hash=entry.hash, content=entry.document)
    return 0


def _verify(args: argparse.Namespace, _: Settings) -> int:
    found = registers.read_register(_folder(args))
    entries = found.entries
    faults = [*found.faults, *kept_inputs.faults_of(found.folder, (e.document for e in entries))]
    if args.head and not any(entry.hash.startswith(args.head) for entry in entries):
        faults.append(f"no entry has the hash {args.head}: an end was cut off, or it was changed")
    head = entries[-1].hash if entries else "none"
    sound = f"{len(entries)} entries, unchanged; newest hash {head}"
    text = "\n".join(faults) if faults else sound
    tell(args, text, entries=len(entries), head=head, faults=faults)
    return 1 if faults else 0


def _diff(args: argparse.Namespace, _: Settings) -> int:
    found = _read(args)
    a, b = (registers.find(found, name) for name in (args.a, args.b))
    one, other = a.document, b.document
    kinds = change.differing(one, other)
    records = change.changes(one, other)
    notes = [_what_differs(one, other, kind) for kind in kinds]
    notes = notes or ["nothing that makes a forecast differs"]
    if len(kinds) <= 1 or args.attribute:
        records, more = _attributed(args, (a, b), kinds, records)
        notes += more
    else:
        records = [record | {"parts": None} for record in records]
        notes.append(f"{' and '.join(kinds)} differ: --attribute runs them apart, refitting")
    notes.append("± is Monte Carlo error of the medians; ~ marks what it can explain")
    document = {"a": a.name, "b": b.name, "differing": kinds, "changes": records, "notes": notes}
    tell(args, "" if args.json else text.change_text(document, args.years), **document)
    return 0


def _what_differs(a: Mapping[str, Any], b: Mapping[str, Any], kind: str) -> str:
    if kind == "seed":
        return f"seed: {a['seed']} and {b['seed']}; its part is chance, to be read with its error"
    if kind == "scenario":
        names = (render.plain(str(one["scenario"].get("name"))) for one in (a, b))
        return "scenario: " + " and ".join(names)
    return f"{kind}: {', '.join(change.changed_files(a, b, kind))}"


def _attributed(
    args: argparse.Namespace,
    pair: tuple[Entry, Entry],
    kinds: list[str],
    records: list[dict[str, Any]],
) -> tuple[list[dict[str, Any]], list[str]]:
    """Return the records with the part of each kind, and what to know of them."""
    if len(kinds) <= 1:
        return change.attributed(records, kinds), []
    today = kept_inputs.code()
    rest = None
    if any(entry.document["inputs"].get("code") != today for entry in pair):
        rest = "code"
    with tempfile.TemporaryDirectory(prefix="forepass-") as home:
        run = partial(_exchanged, args, pair, Path(home))
        found = change.attributed(records, kinds, run, rest=rest)
    notes = ["parts are means over all orders of exchange, run with today's code"]
    if rest:
        notes.append("code: what today's code leaves of the recorded change")
    return found, notes


def _exchanged(
    args: argparse.Namespace, pair: tuple[Entry, Entry], home: Path, second: frozenset[str]
) -> Mapping[tuple[str, int], float | None]:
    """Return medians with the named kinds of the second entry and all else of the first."""

    def of(kind: str) -> Mapping[str, Any]:
        return pair[kind in second].document

    register, place = _folder(args), home / "-".join(("run", *sorted(second)))
    if not args.quiet:
        words = " and ".join(sorted(second)) or "nothing"
        print(f"forepass: running {pair[0].name} with {words} of the other", file=sys.stderr)
    data = kept_inputs.restore(register, of("data")["inputs"], "data", place / "data")
    priors = kept_inputs.restore(register, of("priors")["inputs"], "priors", place / "priors")
    kept_inputs.restore(register, of("scenario")["inputs"], "scenario", priors)
    settings = Settings(data=data, priors=priors, seed=of("seed")["seed"])
    asked = of("scenario")["scenario"]
    name = Path(asked["name"]).stem
    scenario = plain() if asked["name"] == plain().name else load_scenario(name, priors)
    if texts := asked.get("set"):
        scenario = with_layer(scenario, as_asked(texts))
    years = sorted(set(pair[0].document["years"]) & set(pair[1].document["years"]))
    try:
        return change.medians(_forecast(args, settings, scenario, years))
    except CheckError as error:
        # What the fit's own message advises, to undo a change, is no mend of a mixture.
        what = str(error).partition(";")[0]
        raise CheckError(f"with a mixture {what}; insist with --unsafe-ignore-checks") from None


def _score(args: argparse.Namespace, settings: Settings) -> int:
    register = _read(args)
    on = last_day(args.on) if args.on else date.today()
    known = scores.outcomes(settings.priors, settings.data) if register.entries else []
    found = []
    for entry in register.entries:
        due = scores.scored(entry.document, known, on=on)
        found.append({"entry": entry.name, "summary": scores.summarised(due), "outcomes": due})
    tell(args, text.scores_text(found, on.isoformat()), on=on.isoformat(), scores=found)
    return 0


def _add_register(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--register", type=arguments.output_folder, metavar="DIR", help="not reports/register"
    )


def _add_record(parser: argparse.ArgumentParser) -> None:
    _add_register(parser)
    parser.add_argument("--reason", required=True, metavar="TEXT", help="why it is recorded")
    scenario_options.add_options(parser)
    add_span(parser)
    parser.set_defaults(years=None)


def _add_years(parser: argparse.ArgumentParser) -> None:
    _add_register(parser)
    words = "years that the table shows, such as 2026,2030"
    parser.add_argument("--years", type=arguments.year_list, metavar="LIST", help=words)


def _add_show(parser: argparse.ArgumentParser) -> None:
    _add_years(parser)
    words = "beginning of its name or hash, or 'latest'"
    parser.add_argument("entry", metavar="ENTRY", help=words)


def _add_diff(parser: argparse.ArgumentParser) -> None:
    _add_years(parser)
    for name in ("a", "b"):
        parser.add_argument(name, metavar=name.upper(), help="entry, as show takes it")
    words = "where several things differ, run them apart (fits what is stale)"
    parser.add_argument("--attribute", action="store_true", help=words)


def _add_verify(parser: argparse.ArgumentParser) -> None:
    _add_register(parser)
    words = "hash, or its beginning, that must be there: as noted elsewhere"
    parser.add_argument("--head", metavar="HASH", help=words)


def _add_score(parser: argparse.ArgumentParser) -> None:
    _add_register(parser)
    words = "score what is due by then (today unless given)"
    parser.add_argument("--on", type=arguments.iso_date, metavar="DATE", help=words)


COMMAND = Command(
    "register",
    "forecasts recorded for good: record, list, show, verify, diff and score them",
    EXAMPLE,
    actions=(
        Command("record", "store today's forecast", "", _record, _add_record, draws=True),
        Command("list", "every entry", "", _list, _add_register),
        Command("show", "one entry", "", _show, _add_show),
        Command("verify", "whether anything was altered", "", _verify, _add_verify),
        Command("diff", "what changed, and from what", "", _diff, _add_diff, draws=True),
        Command("score", "entries against what is known since", "", _score, _add_score),
    ),
)
