"""Run benchmarks and write their tables: ``python table.py FOLDER [PART ...]``.

Each part goes into a page of its own as soon as it is done; without a part all are run. Timings of
one part are of one run, beside one another, on one machine; each is the least of a few.
"""

import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from forepass.inputs.tables import load_table

HERE = Path(__file__).parent
SAMPLED = {
    "training": 500,
    "demand": 500,
    "fleet": 300,
    "language_models": 300,
    "chips": 200,
    "serving": 200,
}
"""Draws of each chain under the other samplers, fewer where each takes long."""
LIMIT_SECONDS = 900
"""Of one run of a sampler; what is not done by then is said to be so."""

type Row = dict[str, Any]


def measured(script: str, *words: object) -> Row:
    """Return what a script of this folder prints last, empty where it does not end in time."""
    command = [sys.executable, str(HERE / script), *map(str, words)]
    try:
        ran = subprocess.run(
            command, check=True, capture_output=True, text=True, timeout=LIMIT_SECONDS
        )
    except (subprocess.TimeoutExpired, subprocess.CalledProcessError) as failure:
        print(f"{script} {words}: {failure}", file=sys.stderr)
        return {}
    row: Row = json.loads(ran.stdout.splitlines()[-1])
    return row


def timed() -> list[Row]:
    """Return what pytest-benchmark measured: what, way, size, the least seconds, the rest."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "timed.json"
        options = ("-o", "python_files=bench_*.py", "-o", "python_functions=bench_*")
        command = [sys.executable, "-m", "pytest", "-q", str(HERE), "--rootdir", str(HERE.parent)]
        environment = {**os.environ, "PYTHONPATH": str(HERE)}
        subprocess.run([*command, *options, f"--benchmark-json={out}"], check=True, env=environment)
        found = json.loads(out.read_text())["benchmarks"]
    return [{**one["extra_info"], "seconds": one["stats"]["min"]} for one in found]


def machine() -> str:
    """Return the processor, its cores and the system."""
    names = [
        line for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line
    ]
    name = names[0].partition(":")[2].strip() if names else platform.processor()
    return (
        f"{name}, {os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}"
    )


def rows_of(title: str, header: str, rows: list[str]) -> list[str]:
    """Return a Markdown table under a heading."""
    ruled = "|".join(["---"] * (header.count("|") - 1))
    return [f"## {title}", "", header, f"|{ruled}|", *rows, ""]


def sampling() -> list[str]:
    """Return the table of effective draws per second."""
    rows = []
    for block, draws in SAMPLED.items():
        own = measured("samplers.py", block, "shipped")
        for sampler, words in (("pymc", "PyMC's NUTS"), ("numpyro", "NumPyro")):
            other = measured("samplers.py", block, sampler, draws)
            rows.append(
                f"| {block} | {_sampled(own)} | {words}, {draws} draws | {_beside(own, other)} |"
            )
            print(rows[-1], flush=True)
    header = (
        "| block | shipped, least ESS/s | sampling, s | compiling, s | MB | "
        "peer, of each of 2 chains | least ESS/s | sampling, s | R-hat | MB | "
        "shipped over peer |"
    )
    return rows_of("Effective draws per second", header, rows)


def _sampled(own: Row) -> str:
    figures = (own[key] for key in ("ess_per_second", "seconds", "compile_seconds", "peak_mb"))
    return " | ".join(f"{figure:.3g}" for figure in figures)


def _beside(own: Row, other: Row) -> str:
    if not other:
        return f"not done in {LIMIT_SECONDS} s | | | | "
    ratio = own["ess_per_second"] / other["ess_per_second"]
    keys = ("ess_per_second", "seconds", "rhat", "peak_mb")
    return " | ".join(f"{figure:.3g}" for figure in (*(other[key] for key in keys), ratio))


def answering() -> list[str]:
    """Return the tables of the forward chain, of shares of variance, and of answers."""
    found = timed()
    of = {(one["what"], one["way"], one["size"]): one for one in found}
    chains = []
    for size in sorted({one["size"] for one in found if one["what"] == "chain"}):
        ways = ("forepass", "numpy", "squigglepy")
        seconds = [of["chain", way, size]["seconds"] for way in ways]
        memory = [measured("chain.py", way, size)["peak_mb"] for way in ways]
        figures = [f"{second:.3g}" for second in seconds] + [f"{one:.0f}" for one in memory]
        chains.append(f"| {size:,} | {' | '.join(figures)} | {seconds[0] / seconds[1]:.2f} |")
    header = (
        "| draws | forepass, s | NumPy, s | squigglepy, s | forepass, MB | NumPy, MB | "
        "squigglepy, MB | forepass over NumPy |"
    )
    out = rows_of("Twelve inputs over sixteen years", header, chains)
    shares = [
        f"| {one['way']} | {one['size']:,} | {one['seconds']:.3g} | {one['error']:.4f} |"
        for one in found
        if one["what"] == "shares"
    ]
    header = "| of six inputs | outputs taken | seconds | largest error of a share |"
    out += rows_of("Shares of variance", header, shares)
    grown = [
        f"| {one['what']} | {one['way']} | {one['size']:,} | {one['seconds']:.3g} | "
        f"{1000 * one['seconds'] / one['size']:.3g} |"
        for one in found
        if one["what"] not in ("chain", "shares")
    ]
    header = "| what | by | size | seconds | ms each |"
    return out + rows_of("Answers and how their cost grows", header, grown)


def started() -> list[str]:
    """Return the table of a first fit of all blocks, and of what each answer holds in memory."""
    forepass = str(Path(sys.executable).with_name("forepass"))
    rows = []
    with tempfile.TemporaryDirectory() as place:
        own = {**os.environ, "FOREPASS_CACHE": f"{place}/cache"}
        # What PyTensor compiled before is kept in a folder of its own, which a new machine lacks.
        flags = f"{os.environ.get('PYTENSOR_FLAGS', '')},base_compiledir={place}/compiled".strip(
            ","
        )
        bare = own | {"PYTENSOR_FLAGS": flags}
        rows_400 = Path(place) / "rows.csv"
        load_table("serving").iloc[:400].drop(columns=["concurrency"]).to_csv(rows_400, index=False)
        for what, environment, words in (
            ("fit of all blocks, nothing compiled before", bare, ["fit"]),
            ("fit of all blocks, functions compiled before", own, ["fit", "--force"]),
            ("forecast, fits kept", own, ["forecast"]),
            ("forecast, kept itself", own, ["forecast"]),
            ("overhang, fits kept", own, ["overhang"]),
            ("scenario run, fits kept", own, ["scenario", "run", "wall-returns"]),
            ("sensitivity, fits kept", own, ["sensitivity"]),
            ("predict, 400 rows", own, ["predict", str(rows_400), "--out", f"{place}/out.csv"]),
            ("passes", own, ["passes", "--chip", "h100-sxm", "--model", "llama-3.1-70b"]),
            ("--help", own, ["--help"]),
        ):
            begun = time.monotonic()
            with subprocess.Popen(
                [forepass, *words], env=environment, stdout=subprocess.DEVNULL
            ) as run:
                _, status, used = os.wait4(run.pid, 0)
                run.returncode = os.waitstatus_to_exitcode(status)
            took = time.monotonic() - begun
            rows.append(f"| {what} | {took:.3g} | {used.ru_maxrss / 1024:.0f} | {run.returncode} |")
            print(rows[-1], flush=True)
    header = "| command | seconds | largest process, MB | exit code |"
    return rows_of("From the command line", header, rows)


PARTS: dict[str, Callable[[], list[str]]] = {
    "commands": started,
    "answers": answering,
    "samplers": sampling,
}


def main(folder: Path, parts: list[str]) -> None:
    """Write the page of each part."""
    folder.mkdir(parents=True, exist_ok=True)
    for part in parts or list(PARTS):
        text = [f"# Benchmarks: {part}", "", f"On {machine()}.", "", *PARTS[part]()]
        (folder / f"{part}.md").write_text("\n".join(text))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
