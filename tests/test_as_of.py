"""An earlier day's view: nothing that came later reaches a table, a belief or a fit."""

import ast
import csv
import io
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
import xarray as xr

import forepass
from forepass import posterior
from forepass.as_of import refuse_unseen, seen_as_of
from forepass.cli import main
from forepass.errors import InputError
from forepass.inputs.dates import is_date, last_day
from forepass.inputs.earlier import FILE
from forepass.inputs.priors import BLOCKS, load_all
from forepass.inputs.tables import TABLES, load_tables
from forepass.inputs.toml_files import as_toml, read_tables
from forepass.rooms import room
from forepass.settings import Settings

DAYS = (date(2018, 1, 1), date(2022, 1, 1), date(2025, 1, 1), date(2026, 6, 1))
ONE = {"DRAWS": 60, "KEPT": 60, "ATTEMPTS": ({"target_accept": 0.9, "tune": 100},)}


def copied(name: str, home: Path, change: Callable[[str, str], str]) -> Path:
    """Return a copy of a room whose files are changed, by name and text."""
    folder = home / name
    folder.mkdir(parents=True)
    for path in room(name).iterdir():
        if path.is_file():
            text = path.read_text(encoding="utf-8")
            (folder / path.name).write_text(change(path.name, text), encoding="utf-8")
    return folder


def poison(day: date, *, remove: bool) -> Callable[[str, str], str]:
    """Return what makes nonsense of all that came after a day, or takes the rows away."""
    dates = {
        row["source"]: row["date"]
        for row in csv.DictReader(io.StringIO(room("data").joinpath("sources.csv").read_text()))
    }

    def later(text: str) -> bool:
        return not is_date(text) or last_day(text) > day

    def tables(name: str, text: str) -> str:
        if not name.endswith(".csv"):
            return text
        rows = list(csv.DictReader(io.StringIO(text)))
        column = "date" if name == "sources.csv" else "known"
        out = io.StringIO()
        writer = csv.DictWriter(out, rows[0].keys(), lineterminator="\n")
        writer.writeheader()
        for row in rows:
            if later(row[column]) and name != "sources.csv":
                if remove:
                    continue
                kept = {"known", "status", "source", *list(row)[:1]}
                row |= {key: "1e30" for key in row if key not in kept}
            elif later(row[column]):
                row["title"] = "poison"
            writer.writerow(row)
        return out.getvalue()

    def beliefs(name: str, text: str) -> str:
        if name.removesuffix(".toml") not in BLOCKS:
            return text
        stated = read_tables(name, None)[0]
        for table in stated.values():
            keys = [key.strip() for key in table["source"].split(";")]
            if any(key == "judgement" or later(dates[key]) for key in keys):
                table |= {key: 0.123 for key in table if key.startswith("p") or key == "mode"}
                table["rationale"] = "poison"
        return as_toml(stated)

    return lambda name, text: (beliefs if name.endswith(".toml") else tables)(name, text)


def poisoned(day: date, home: Path, *, remove: bool) -> Settings:
    change = poison(day, remove=remove)
    data, priors = (copied(name, home / "poison", change) for name in ("data", "priors"))
    return Settings(data=data, priors=priors, cache=home / "other")


@pytest.mark.parametrize("remove", [False, True])
@pytest.mark.parametrize("day", DAYS, ids=str)
def test_no_later_row_or_belief_changes_what_a_day_sees(
    tmp_path: Path, day: date, *, remove: bool
) -> None:
    clean = seen_as_of(Settings(cache=tmp_path), day)
    other = seen_as_of(poisoned(day, tmp_path, remove=remove), day)
    empty = dict(clean.unseen)
    mine, theirs = (load_tables(TABLES, s.data, may_be_empty=empty) for s in (clean, other))
    for name in TABLES:
        assert mine[name].equals(theirs[name]), name
        assert mine[name].empty == (name in empty)
    dated = [text for table in mine.values() if "known" in table for text in table["known"]]
    assert max(map(last_day, dated)) <= day
    believed, again = (
        {
            block: {name: replace(prior, file="") for name, prior in stated.items()}
            for block, stated in load_all(s.priors).items()
        }
        for s in (clean, other)
    )
    assert believed == again


def test_no_later_row_or_belief_changes_a_fit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in ONE.items():
        monkeypatch.setattr(posterior, name, value)
    day = date(2022, 1, 1)
    fits = [
        posterior.fitted(["training"], seen_as_of(settings, day), unsafe=True)["training"]
        for settings in (Settings(cache=tmp_path), poisoned(day, tmp_path, remove=False))
    ]
    xr.testing.assert_equal(fits[0].posterior, fits[1].posterior)
    assert fits[0].key == fits[1].key
    assert not any(fit.from_cache for fit in fits)


def test_only_inputs_reads_tables() -> None:
    """A path around the filter would open a file, or read CSV, somewhere else."""
    package = Path(forepass.__file__).parent
    around = set()
    for path in package.rglob("*.py"):
        if "inputs" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            called = node.func if isinstance(node, ast.Call) else None
            name = getattr(called, "attr", getattr(called, "id", ""))
            if name in {"read_csv", "DictReader", "reader", "open", "room", "read_table"}:
                around.add((path.relative_to(package).as_posix(), name))
    # Settings name the shipped rooms, scenarios are no tables, the command opens /dev/null, the
    # register its lock and copies of what was read, the explorer its own page, limits any file that
    # inputs ask for, atomic a folder to settle it; a report its templates and the published record.
    assert around <= ALLOWED, around - ALLOWED


ALLOWED = {
    *(("settings.py", "room"), ("what_if/scenarios.py", "room"), ("cli.py", "open")),
    *(("register/folder.py", "open"), ("register/kept_inputs.py", "open")),
    *(("register/kept_inputs.py", "room"), ("explorer/page_file.py", "open")),
    *(("limits.py", "open"), ("atomic.py", "open"), ("commands/report_command.py", "room")),
    *(("evidence/records.py", "room"), ("register/folder.py", "room")),
}


def test_a_day_by_which_all_was_known_changes_nothing() -> None:
    assert seen_as_of(Settings(), date(2100, 1, 1)) == replace(Settings(), as_of=date(2100, 1, 1))


def test_a_day_before_all_rows_is_refused_with_each_table_and_its_first_date() -> None:
    with pytest.raises(InputError, match=r"2010-01-01: no row .*chips\.csv \(from 2016-06\)"):
        seen_as_of(Settings(), date(2010, 1, 1))


def test_blocks_without_rows_are_refused_together(tmp_path: Path) -> None:
    settings = seen_as_of(Settings(cache=tmp_path), date(2020, 1, 1))
    with pytest.raises(InputError, match=r"chip_stock\.csv .*demand\.csv .*serving\.csv"):
        posterior.fitted(["training", "fleet", "demand", "serving"], settings)
    refuse_unseen(["chips", "training"], settings)


def test_a_table_that_a_block_can_do_without_may_be_empty(tmp_path: Path) -> None:
    settings = seen_as_of(Settings(cache=tmp_path), date(2018, 12, 31))
    assert "published_trends" in dict(settings.unseen)
    model = posterior.build_model("language_models", settings)
    assert "gains_seen" not in model.named_vars


def test_tables_without_one_of_sources_are_refused(tmp_path: Path) -> None:
    shutil.copytree(str(room("data")), tmp_path / "data")
    (tmp_path / "data" / "sources.csv").unlink()
    with pytest.raises(InputError, match=r"sources\.csv: no such file"):
        seen_as_of(Settings(data=tmp_path / "data", cache=tmp_path), date(2025, 1, 1))


def test_software_of_a_day_to_come_is_no_convention(tmp_path: Path) -> None:
    settings = seen_as_of(Settings(cache=tmp_path), date(2024, 5, 1))
    tables, _ = read_tables("definitions.toml", settings.priors)
    assert tables["software_date"]["value"] == "2024-05-01"
    assert not (settings.priors / FILE).is_file()


def test_a_cache_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="set FOREPASS_CACHE"):
        seen_as_of(Settings(cache=tmp_path / "file"), date(2024, 1, 1))


@pytest.mark.parametrize(
    ("argv", "status", "said"),
    [
        (("data", "list", "--as-of", "2010"), 2, "no row was known then of"),
        (("fit", "--block", "fleet", "--as-of", "2025"), 2, "chip_stock.csv (from 2026-04-22)"),
        (("forecast", "--as-of", "soon"), 2, "must be a date such as"),
        (("passes", "--chip", "b200", "--model", "gpt-4", "--as-of", "2023-08"), 2, "b200"),
        (("data", "check", "--as-of", "2024-01-01"), 0, "keep to their schemas"),
        (("priors", "check", "--as-of", "2024-01-01"), 0, "as its model uses them"),
        (("priors", "show", "record_growth", "--as-of", "2020"), 0, "twice as uncertain"),
    ],
)
def test_commands_see_what_a_day_saw(
    argv: tuple[str, ...],
    status: int,
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("FOREPASS_CACHE", str(tmp_path))
    try:
        found = main(list(argv))
    except SystemExit as stop:
        found = int(stop.code or 0)
    assert found == status
    printed = capsys.readouterr()
    assert said in printed.out + printed.err
