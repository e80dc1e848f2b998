"""``forepass report``: the strategic report as a folder of text, page, figures and numbers."""

import argparse
import os
import sys
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from forepass.commands import arguments, scenario_options
from forepass.commands.arguments import Command
from forepass.commands.output import tell
from forepass.errors import InputError
from forepass.evidence.questions import Questions, read_questions
from forepass.rooms import room
from forepass.settings import Settings
from forepass.tell import answers
from forepass.what_if.scenarios import Scenario, check_compared, load_scenario

WORDS = "the strategic report: a page, text, figures, numbers and draws in one folder"
EXAMPLE = """\
examples:
  forepass report --out report
a page for a minister, of a scenario
  forepass report --audience brief --scenario power-bound --out power-bound
two futures side by side, under a title and a logo of your own
  forepass report --compare wall-returns wall-broken --title "Two walls" --logo ours.svg --out walls
words of your own: a folder with changed copies of some of reports/templates
  forepass report --template mine --out report
"""
AUDIENCES = ("brief", "full")
TITLE = "How much AI inference can the world do?"


def _add_options(parser: argparse.ArgumentParser) -> None:
    arguments.add_out(parser, "folder to write; an earlier report there is replaced")
    words = "one page and what it rests on (brief), or everything (full)"
    parser.add_argument("--audience", choices=AUDIENCES, default="full", help=words)
    scenario_options.add_options(parser)
    words = "scenarios to compare, the first with the others, in place of those of the templates"
    parser.add_argument("--compare", nargs="+", metavar="NAME", help=words)
    parser.add_argument("--title", default=TITLE, metavar="TEXT", help="heading of the report")
    parser.add_argument("--logo", type=Path, metavar="FILE", help="a picture for its head")
    words = "folder whose templates take the place of those of the same name"
    parser.add_argument("--template", type=Path, metavar="DIR", help=words)
    words = "leave out posterior.nc, the draws, which are most of the folder"
    arguments.add_flag(parser, "--without-posterior", words)
    arguments.add_flag(parser, "--force", "write into a folder that holds other files too")


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Write the report and say what is in it."""
    # Matrices here are small: several threads on each cost more than they give.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from forepass.evidence.records import track_record
    from forepass.register.folder import recorded
    from forepass.report import build, folder

    if not args.title.strip():
        raise InputError("--title must say something")
    folder.check_free(args.out, force=args.force)
    if args.template is not None and not args.template.is_dir():
        raise InputError(f"--template: {args.template} is no folder")
    templates = (*[args.template] * (args.template is not None), room("reports/templates"))
    questions = read_questions(templates)
    scenario = scenario_options.scenario_from(args, settings)
    names = args.compare or list(questions.scenarios)
    check_compared(names, "--compare")
    compared = [load_scenario(name, settings.priors) for name in names]
    asked: dict[str, Any] = {
        "questions": asdict(questions),
        "compared": [one.content() for one in compared],
        "unsafe_ignore_checks": args.unsafe_ignore_checks,
        **scenario_options.arguments_of(scenario),
    }
    evidence = answers.answer(
        "report",
        asked,
        settings,
        draw=lambda: None,
        build=partial(_gathered, args, scenario, compared, questions, settings),
    )
    # Published scores are no part of a forecast's inputs, and so of no cached answer.
    evidence |= {"track_record": track_record(), "register": recorded()}
    logo = build.logo_address(args.logo) if args.logo is not None else ""
    draws = None if args.without_posterior else partial(_draws, args, evidence, scenario, settings)
    with folder.replacing_folder(args.out) as new:
        told = build.build(
            new,
            evidence,
            title=args.title,
            audience=args.audience,
            logo=logo,
            templates=templates,
            write_draws=draws,
        )
    words = (
        f"wrote {args.out}: report.html ({told['html_bytes'] / 1e6:.1f} MB), report.md, "
        f"{told['figures']} figures, {told['numbers']} numbers cited"
    )
    tell(args, words, folder=str(args.out), **told)
    if told["without_pdf_because"] and not args.quiet:
        print(f"forepass: no report.pdf: {told['without_pdf_because']}", file=sys.stderr)
    return 0


def _gathered(
    args: argparse.Namespace,
    scenario: Scenario,
    compared: list[Scenario],
    questions: Questions,
    settings: Settings,
    _: None,
    **frame: Any,  # noqa: ANN401 - as build_document takes them
) -> dict[str, Any]:
    from forepass.evidence.gather import gathered, stages
    from forepass.kept_fits import failed_notes

    found = scenario_options.changed(scenario, args, settings)
    each = {one.name: (one, scenario_options.changed(one, args, settings)) for one in compared}
    with scenario_options.runs_of(stages(questions, each), scenario, args) as done:
        document = gathered(found, scenario, each, questions, settings, frame=frame, done=done)
    document["notes"] += failed_notes(found.fits)
    return document


def _draws(
    args: argparse.Namespace,
    evidence: dict[str, Any],
    scenario: Scenario,
    settings: Settings,
    path: Path,
) -> None:
    """Write the posterior that the report is of, and every quantity by year."""
    from forepass.forward.comparisons import with_beside
    from forepass.report.exports import write_posterior
    from forepass.what_if.changed import projected

    found = scenario_options.changed(scenario, args, settings)
    drawn = with_beside(projected(found, settings.seed))
    posteriors = {name: fit.posterior for name, fit in found.fits.items()}
    write_posterior(path, posteriors, drawn, answers.provenance(evidence))


COMMAND = Command("report", WORDS, EXAMPLE, run, _add_options, draws=True)
