"""The functions of ``import forepass``: labelled, with units, and the numbers of the commands."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

import forepass
from forepass import posterior
from forepass.cli import main
from forepass.documents import QUANTILES
from forepass.errors import InputError
from forepass.kept_fits import Fit

YEARS = range(2028, 2031)
ASKED = ("--from", 2028, "--to", 2030)
Told = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module", autouse=True)
def home(
    tmp_path_factory: pytest.TempPathFactory, forward_fits: Mapping[str, Fit]
) -> Iterator[Path]:
    """Answer from draws of the priors, in a cache of their own."""
    home = tmp_path_factory.mktemp("api")
    with pytest.MonkeyPatch.context() as patch:
        fits = dict(forward_fits)
        patch.setattr(posterior, "fitted", lambda names, *_, **__: {n: fits[n] for n in names})
        patch.setenv("FOREPASS_CACHE", str(home / "cache"))
        yield home


@pytest.fixture
def told(capsys: pytest.CaptureFixture[str]) -> Told:
    """Return the document that a command prints."""

    def run(*argv: object) -> dict[str, Any]:
        assert main([*map(str, argv), "--json"]) == 0
        return json.loads(capsys.readouterr().out)

    return run


def check(draws: xr.Dataset, document: Mapping[str, Any]) -> None:
    """Check that draws have the numbers and the words of a document, and their units."""
    found, quantities = forepass.quantiles(draws), document["quantities"]
    assert set(map(str, found)) == set(quantities)
    for name, entry in quantities.items():
        array = found[name].transpose("quantile", "year", ..., missing_dims="ignore")
        words = {"units": entry["unit"], "long_name": entry["long_name"]}
        assert words.items() <= array.attrs.items()
        levels = [entry[level] for level in QUANTILES if level in entry] or entry["value"]
        expected: Any = np.array(levels, dtype=float)
        np.testing.assert_array_equal(array.values, expected, err_msg=name)
    assert draws.attrs["data_sha256"] == document["inputs"]["data"]


def test_forecast_and_overhang_have_the_numbers_of_the_commands(told: Told) -> None:
    check(forepass.forecast(YEARS), told("forecast", *ASKED))
    changes = {"duty_cycle": 0.7, "inference_share@2029": "0.3 to 0.7"}
    changed = forepass.overhang(YEARS, scenario="wall-returns", changes=changes)
    options = [part for key, value in changes.items() for part in ("--set", f"{key}={value}")]
    check(changed, told("overhang", *ASKED, "--scenario", "wall-returns", *options))
    assert "duty_cycle is 0.7" in changed.attrs["notes"]


def test_scenarios_have_the_numbers_of_the_commands(told: Told) -> None:
    check(
        forepass.scenario("power-bound", YEARS),
        told("scenario", "run", "power-bound", *ASKED),
    )
    names = ("baseline", "power-bound")
    compared = forepass.compare(*names, years=YEARS)
    check(compared, told("scenario", "compare", *names, *ASKED))
    assert compared["world_tokens_per_s_ratio"].dims == ("draw", "year", "compared")


def test_passes_have_the_numbers_of_the_command(told: Told) -> None:
    answered = forepass.passes("h100", "gpt-4", chips=64, weight_bits=16, concurrency=32)
    argv = ("--chip", "h100", "--model", "gpt-4", "--chips", 64, "--weight-bits", 16)
    check(answered, told("passes", *argv, "--concurrency", 32))


def test_sensitivity_has_the_numbers_of_the_command(told: Told, home: Path) -> None:
    # In another cache, or the one would only read what the other kept.
    own = forepass.settings_for(cache=home / "another")
    found = forepass.sensitivity("fleet_power", 2029, top=5, settings=own)
    entries = told("sensitivity", "fleet_power", "--year", 2029, "--top", 5)["beliefs"]
    assert found["belief"].values.tolist() == [entry["name"] for entry in entries]
    for key, array in found.data_vars.items():
        expected = [np.nan if entry.get(key) is None else entry[key] for entry in entries]
        np.testing.assert_array_equal(array.values, np.array(expected, dtype=float))
        assert {"units", "long_name"} <= set(array.attrs)
    assert found["at_high"].attrs["units"] == "W"


def test_fits_are_labelled_with_the_units_of_their_priors() -> None:
    tree = forepass.fit("fleet", "training")
    assert set(tree.children) == {"fleet", "training"}
    prior = forepass.load_inputs().priors["fleet"]["pue"]
    pue = tree["fleet"]["pue"]
    assert (pue.attrs["units"], pue.dims) == (prior.unit, ("draw",))
    assert tree["fleet"].attrs["rhat"] > 0
    assert all("long_name" in array.attrs for array in tree["training"].data_vars.values())


def test_draws_can_be_written_with_all_that_they_say(tmp_path: Path) -> None:
    draws = forepass.overhang([2030])
    draws.to_netcdf(tmp_path / "draws.nc", engine="h5netcdf")
    back = xr.load_dataset(tmp_path / "draws.nc", engine="h5netcdf")
    assert back.attrs["notes"] == draws.attrs["notes"] != ""
    xr.testing.assert_equal(back, draws)


@pytest.mark.parametrize(
    ("ask", "complaint"),
    [
        (lambda: forepass.forecast([2050]), "years must lie within 2020 to 2035, got 2050"),
        (lambda: forepass.forecast(scenario="wal-returns"), "did you mean wall-returns"),
        (lambda: forepass.compare("baseline"), "two scenarios or more, each once; got baseline"),
        (lambda: forepass.sensitivity("fleet_powr"), "did you mean fleet_power"),
        (lambda: forepass.fit("flet"), "no block 'flet'; "),
        (lambda: forepass.passes("h10", "gpt-4"), "h10"),
    ],
)
def test_what_cannot_be_is_refused_by_name(ask: Callable[[], object], complaint: str) -> None:
    with pytest.raises(InputError, match=complaint):
        ask()


def test_import_loads_no_numerical_library() -> None:
    code = "import sys, forepass; print({'numpy', 'xarray', 'pymc'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("set()\n", "")


def test_every_public_name_is_a_function_or_a_record() -> None:
    assert set(forepass.__all__) <= set(dir(forepass))
    assert all(callable(getattr(forepass, name)) for name in forepass.__all__)
