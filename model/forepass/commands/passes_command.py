"""``forepass passes``: how many forward passes these chips do with this model."""

import argparse
import hashlib
from pathlib import Path
from typing import Any

from forepass import limits
from forepass.commands import arguments
from forepass.commands.arguments import Command
from forepass.commands.output import tell_answer, write_figures
from forepass.errors import InputError
from forepass.inputs.definitions import load_definitions
from forepass.inputs.text_files import read_bytes
from forepass.settings import Settings
from forepass.tell import answers, render
from forepass.tell.answers import Draws

BLOCKS = ("chips", "serving")
ASKED = (
    *("chip", "n_chips", "model", "weight_bits", "input_tokens", "output_tokens", "concurrency"),
    *("speed", "cached_share", "price_usd_per_chip_hour", "date", "software", "disaggregated"),
)

WORDS = "forward passes of these chips with this model: bounds, realised, cost, what binds"
EXAMPLE = """\
examples: 128 A100s serve GPT-4 at 16 bits, at a dollar per chip-hour; what speed costs on B200s
  forepass passes --chip a100 --chips 128 --model gpt-4 --weight-bits 16 \\
      --input 1000 --output 500 --concurrency 256 --price 1
  forepass passes --chip b200 --chips 8 --model deepseek-v3 --sweep --figure figures
"""


def _add_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("what serves what")
    group.add_argument("--chip", required=True, help="chip, such as a100-sxm-80gb or H100")
    words = "chips that serve one copy of the model together (default: the fewest that hold it)"
    number: dict[str, Any] = {"type": arguments.positive_integer, "metavar": "N"}
    group.add_argument("--chips", dest="n_chips", **number, help=words)
    group.add_argument("--model", required=True, help="language model, such as gpt-4")
    words = "bits per weight as served: 16, 8 or 4 (default: those the model was released in)"
    group.add_argument("--weight-bits", type=arguments.weight_bits, metavar="BITS", help=words)
    group.add_argument("--software", help="serving software, such as vllm")
    group.add_argument(
        "--date", type=arguments.iso_date, help="date of the serving software, YYYY[-MM[-DD]]"
    )
    arguments.add_own_tables(group)
    group = parser.add_argument_group("load")
    number = {"type": arguments.positive_number, "metavar": "X"}
    for way in ("input", "output"):
        words = f"{way} tokens per request"
        group.add_argument(f"--{way}", dest=f"{way}_tokens", **number, help=words)
    limit = group.add_mutually_exclusive_group()
    limit.add_argument(
        "--concurrency", **number, help="requests in flight (default: as many as fit in memory)"
    )
    limit.add_argument("--speed", **number, help="output tokens per second that each user must get")
    words = "trade speed against throughput and cost, from one request to as many as fit"
    limit.add_argument("--sweep", action="store_true", help=words)
    words = "share of input tokens already in the cache (default: 0)"
    group.add_argument("--cached-share", type=arguments.share, default=0.0, metavar="X", help=words)
    arguments.add_flag(group, "--disaggregated", "prefill and decode on chips of their own")
    words = "USD per chip-hour (default: the chip's last rent on record)"
    group.add_argument("--price", dest="price_usd_per_chip_hour", **number, help=words)
    arguments.add_figure(group, "with --sweep, write the figure to DIR as sweep.png and sweep.svg")


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Print the answer, and draw it where that was asked for."""
    if args.figure is not None and not args.sweep:
        raise InputError("--figure draws the trade-off of --sweep; give both")
    request = _request(args, settings)
    asked = {
        **request,
        "files": [_content(args.chips_file), _content(args.models_file)],
        "unsafe_ignore_checks": args.unsafe_ignore_checks,
    }
    name = "passes --sweep" if args.sweep else "passes"
    document = answers.answer(name, asked, settings, draw=lambda: _draw(args, request, settings))
    tell_answer(args, document, render.sweep_text if args.sweep else render.passes_text)
    if args.figure is not None:
        from forepass.tell.sweep_figures import draw_sweep

        write_figures(args, {"sweep": draw_sweep(document)}, document)
    return 0


COMMAND = Command("passes", WORDS, EXAMPLE, run, _add_options, draws=True)


def _request(args: argparse.Namespace, settings: Settings) -> dict[str, Any]:
    """Return the fields of a ``PassesRequest``, with the reference lengths where none are given."""
    definitions = load_definitions(settings.priors)
    asked = {field: getattr(args, field) for field in ASKED}
    for length in ("input_tokens", "output_tokens"):
        asked[length] = asked[length] or getattr(definitions, f"reference_{length}")
    return asked


def _content(path: Path | None) -> str | None:
    """Return what identifies a user's table, wherever it lies."""
    if path is None:
        return None
    return hashlib.sha256(read_bytes(path, str(path), most_bytes=limits.TABLE_BYTES)).hexdigest()


def _draw(args: argparse.Namespace, request: dict[str, Any], settings: Settings) -> Draws:
    from forepass import catalogue
    from forepass.commands import fitting
    from forepass.forward import capacity, sweep
    from forepass.inputs.records import chip_record, model_record
    from forepass.kept_fits import flagged

    # Names are checked before anything is fitted: a misspelt chip must not cost minutes.
    tables = catalogue.load(settings, chips_file=args.chips_file, models_file=args.models_file)
    chip_record(args.chip, tables)
    model_record(args.model, tables)
    fits = fitting.fits_of(BLOCKS, args, settings)
    definitions = load_definitions(settings.priors)
    answer = sweep.sweep if args.sweep else capacity.passes
    draws = answer(capacity.PassesRequest(**request), fits, tables, definitions)
    return flagged(draws, fits)
