"""``forepass check --calibration``: whether each block finds again what its data are made from."""

import argparse
from functools import partial
from typing import TYPE_CHECKING

from forepass.commands import arguments, fit_command, fitting
from forepass.commands.output import tell, write_figures, write_table
from forepass.settings import Settings
from forepass.tell import render

if TYPE_CHECKING:
    import pandas as pd

REPLICATES = 100
FEWEST = 20
DIGITS = 4
WORST = 3
FIGURE = "calibration"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of this check alone."""
    group = parser.add_argument_group("simulation-based calibration")
    group.add_argument(
        "--calibration",
        action="store_true",
        help="draw parameters from the priors, make data from them, refit, and test whether each "
        "truth ranks uniformly among the draws (minutes to hours; a killed run goes on where it "
        "stopped)",
    )
    words = f"with --calibration, refits of each block ({REPLICATES}; {FEWEST} or more)"
    enough = arguments.checked(f"{FEWEST} or more", int, lambda number: number >= FEWEST)
    group.add_argument("--replicates", type=enough, metavar="N", help=words)
    arguments.add_cluster(group, "with --calibration, ")


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Print what fell short, and return 1 where anything did."""
    import pandas as pd

    from forepass import posterior
    from forepass.calibration import ranks, runs
    from forepass.calibration.replicas import DRAWS_RANKED

    blocks = fit_command.chosen_blocks(args.block, posterior.BLOCKS)
    number, found = args.replicates or REPLICATES, {}
    with (
        arguments.cluster_from(args) as on,
        fitting.progress_over(blocks * number, quiet=args.quiet, what="refits") as report,
    ):
        for block in blocks:
            done = partial(report, block, "done")
            found[block] = runs.replicas(block, number, settings, on=on, progress=done)
    ranked = {block: pd.DataFrame([one["ranks"] for one in each]) for block, each in found.items()}
    summary = ranks.summary(ranked, places=DRAWS_RANKED + 1)
    failed = summary[summary["p_adjusted"] < ranks.LEVEL]
    divergences = {block: sum(one["divergences"] for one in each) for block, each in found.items()}
    tell(
        args,
        _text(summary, divergences),
        calibration=summary.to_dict("records"),
        divergences=divergences,
        level=ranks.LEVEL,
    )
    write_table(args, summary.round(DIGITS + 1))
    if args.figure is not None:
        from forepass.tell.check_figures import draw_calibration

        write_figures(args, {FIGURE: draw_calibration(ranked, summary, DRAWS_RANKED + 1)})
    return 1 if len(failed) else 0


def _text(summary: "pd.DataFrame", divergences: dict[str, int]) -> str:
    from forepass.calibration.ranks import LEVEL

    rows = []
    for block, tests in summary.groupby("block", sort=False):
        fell = tests[tests["p_adjusted"] < LEVEL]
        worst = tests.nsmallest(max(WORST, len(fell)), "p")
        about = [str(block), f"{tests['replicates'].iloc[0]}", f"{len(fell)} of {len(tests)}"]
        about.append(f"{divergences[str(block)]:,}")
        rows += [
            [
                *(about if place == 0 else [""] * len(about)),
                str(test["variable"]).replace("_", " "),
                *(f"{test[name]:.{DIGITS}f}" for name in ("p", "p_adjusted", "p_chi_square")),
                f"{test['mean_place']:.2f}",
                f"{test['spread']:.2f}",
            ]
            for place, test in enumerate(worst.to_dict("records"))
        ]
    headers = ["block", "refits", "fell short", "divergences", "least uniform", "p", "p, Holm"]
    headers += ["p, chi-square", "mean place\n(0.5)", "spread\n(1)"]
    return (
        f"{render.table(rows, headers)}\n\n"
        "- p: chance of ranks as uneven or more where the block is right, by the simultaneous "
        f"band; adjusted for all {len(summary)} quantities tested, below {LEVEL:g} falls short\n"
        "- mean place: of truths among draws, higher where draws lie too low; spread: of "
        "places over that of uniform ones, above 1 where draws are too narrow"
    )
