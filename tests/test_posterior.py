"""Fits: made once, kept under what they were made from, checked, and never half trusted."""

import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from forepass import fingerprints, kept_fits, posterior
from forepass.blocks.variables import prior_variable
from forepass.errors import InputError
from forepass.inputs.definitions import Definitions
from forepass.inputs.priors import Prior
from forepass.posterior import BLOCKS, Diagnostics, Fit, FitFailed, block_seed, fitted
from forepass.settings import Settings

if TYPE_CHECKING:
    import pymc as pm

ROOMS = Path(posterior.__file__).parents[2]
BLOCK, OTHER = "training", "fleet"
OBSERVED = np.array([0.8, 1.1, 1.3, 0.9])
BELIEF = """
[level]
distribution = "Normal"
p10 = -1
p90 = 1
unit = "log"
source = "judgement"
rationale = "A level of which little is known."
"""


def _build(
    _tables: Mapping[str, pd.DataFrame],
    priors: Mapping[str, Prior],
    *,
    definitions: Definitions,
) -> "pm.Model":
    import pymc as pm

    assert definitions.first_year < definitions.last_year
    with pm.Model(coords={"obs": range(len(OBSERVED))}) as model:
        level = prior_variable(priors["level"])
        pm.Deterministic("twice", 2 * level)
        pm.Normal("y", level, 1, observed=OBSERVED, dims="obs")
    return model


@pytest.fixture(scope="module", autouse=True)
def tiny_block() -> Iterator[None]:
    """Stand one small model in for every block, compiled once however often it is fitted."""
    import nutpie

    compiled: list[Any] = []
    really_compile: Callable[..., Any] = nutpie.compile_pymc_model

    def compile_once(model: "pm.Model") -> Any:  # noqa: ANN401 - nutpie is untyped
        if not compiled:
            compiled.append(really_compile(model))
        return compiled[0]

    def block_module(_name: str) -> SimpleNamespace:
        return SimpleNamespace(
            TABLES=("chips",), PRIORS=("level",), CONVENTIONS=("first_year",), build=_build
        )

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(nutpie, "compile_pymc_model", compile_once)
        patch.setattr(posterior, "block_module", block_module)
        yield


def _folders(place: Path) -> Settings:
    """Return settings whose tables, priors and cache are in a folder of their own."""
    (place / "data").mkdir()
    (place / "priors").mkdir()
    for table in ("sources", "chips", "serving"):
        shutil.copy(ROOMS / "data" / f"{table}.csv", place / "data")
    for block in (BLOCK, OTHER):
        (place / "priors" / f"{block}.toml").write_text(BELIEF, encoding="utf-8")
    shutil.copy(ROOMS / "priors" / "definitions.toml", place / "priors")
    return Settings(data=place / "data", priors=place / "priors", seed=1, cache=place / "cache")


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> tuple[Settings, Fit]:
    """Return the settings and the result of a first fit; tests do not change its folders."""
    settings = _folders(tmp_path_factory.mktemp("kept"))
    return settings, fitted([BLOCK], settings)[BLOCK]


@pytest.fixture
def run(kept: tuple[Settings, Fit], tmp_path: Path) -> Settings:
    """Return settings on a copy of the folders, in whose cache the first fit is."""
    settings, _ = kept
    shutil.copytree(settings.cache, tmp_path / "cache")
    return _folders(tmp_path)


def _stages(
    settings: Settings,
    **options: Any,  # noqa: ANN401 - as `fitted` takes them
) -> tuple[Fit, list[str]]:
    """Return the fit of the block and what was done to have it."""
    told: list[tuple[str, str]] = []
    fit = fitted(
        [BLOCK], settings, progress=lambda block, stage: told.append((block, stage)), **options
    )[BLOCK]
    assert {block for block, _ in told} == {BLOCK}
    return fit, [stage for _, stage in told]


class _BegunError(Exception):
    """A fit was begun."""


def is_stale(name: str, settings: Settings) -> bool:
    """Return whether asking for the fit begins a new one; none is finished."""

    def refuse(_block: str, stage: str) -> None:
        if stage != "done":
            raise _BegunError

    try:
        fitted([name], settings, progress=refuse)
    except _BegunError:
        return True
    return False


def _path(folder: object, name: str) -> Path:
    assert isinstance(folder, Path)
    return folder / name


def _append(path: Path, text: str) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write(text)


def test_a_first_fit_is_sampled_and_passes_its_checks(kept: tuple[Settings, Fit]) -> None:
    _, fit = kept
    assert not fit.from_cache
    assert fit.diagnostics.passed
    assert fit.diagnostics.block == BLOCK


def test_a_fit_holds_all_draws_along_one_dim(kept: tuple[Settings, Fit]) -> None:
    _, fit = kept
    assert set(fit.posterior.data_vars) == {"level", "twice"}
    assert dict(fit.posterior.sizes) == {"draw": fit.diagnostics.draws}
    xr.testing.assert_allclose(fit.posterior["twice"], 2 * fit.posterior["level"])


def test_a_fit_recovers_the_posterior_known_in_closed_form(kept: tuple[Settings, Fit]) -> None:
    level = kept[1].posterior["level"]
    prior_precision = (1.2815515655 / 1.0) ** 2
    precision = prior_precision + len(OBSERVED)
    error = 1 / np.sqrt(precision * 400)
    assert abs(float(level.mean()) - OBSERVED.sum() / precision) < 4 * error
    assert float(level.std()) == pytest.approx(1 / np.sqrt(precision), rel=0.1)


def test_the_next_fit_is_read_from_the_cache(kept: tuple[Settings, Fit], run: Settings) -> None:
    again, stages = _stages(run)
    assert again.from_cache
    assert stages == ["done"]
    assert again.key == kept[1].key
    assert again.diagnostics == kept[1].diagnostics
    xr.testing.assert_identical(again.posterior, kept[1].posterior)


def test_a_forced_fit_is_sampled_again_and_has_the_same_draws(
    kept: tuple[Settings, Fit], run: Settings
) -> None:
    again, stages = _stages(run, force=True)
    assert not again.from_cache
    assert "sampling" in stages
    xr.testing.assert_equal(again.posterior, kept[1].posterior)


def test_another_seed_gives_other_draws_under_another_key(
    kept: tuple[Settings, Fit], run: Settings
) -> None:
    other = fitted([BLOCK], replace(run, seed=2))[BLOCK]
    assert not other.from_cache
    assert other.key != kept[1].key
    assert np.all(other.posterior["level"].values != kept[1].posterior["level"].values)
    assert not is_stale(BLOCK, run)


def test_a_fit_is_stale_until_it_has_been_made(kept: tuple[Settings, Fit], tmp_path: Path) -> None:
    settings, _ = kept
    assert not is_stale(BLOCK, settings)
    assert is_stale(BLOCK, replace(settings, cache=tmp_path))
    assert is_stale(OTHER, settings)


def test_the_same_files_in_another_folder_are_not_stale(run: Settings) -> None:
    assert not is_stale(BLOCK, run)


@pytest.mark.parametrize(
    ("room", "name", "text"),
    [
        ("priors", f"{BLOCK}.toml", "# a doubt\n"),
        ("data", "chips.csv", "\n"),
    ],
)
def test_a_fit_is_stale_when_what_it_reads_has_changed(
    room: str, name: str, text: str, run: Settings
) -> None:
    _append(_path(getattr(run, room), name), text)
    assert is_stale(BLOCK, run)


@pytest.mark.parametrize(
    ("room", "name"),
    [("priors", f"{OTHER}.toml"), ("data", "serving.csv"), ("data", "README.md")],
    ids=["another block's prior", "a table it does not read", "words"],
)
def test_a_fit_outlasts_a_change_of_what_it_does_not_read(
    room: str, name: str, run: Settings
) -> None:
    _append(_path(getattr(run, room), name), "\n")
    assert not is_stale(BLOCK, run)


def test_a_fit_outlasts_a_definition_that_its_model_does_not_hang_on(run: Settings) -> None:
    path = _path(run.priors, "definitions.toml")
    text = path.read_text(encoding="utf-8")
    for name, (old, new) in {"last_year": (2035, 2034), "first_year": (2020, 2019)}.items():
        changed = text.replace(f"[{name}]\nvalue = {old}", f"[{name}]\nvalue = {new}")
        assert changed != text
        path.write_text(changed, encoding="utf-8")
        # The model says that it hangs on the first year.
        assert is_stale(BLOCK, run) == (name == "first_year")


def test_a_fit_is_stale_under_another_seed(run: Settings) -> None:
    assert is_stale(BLOCK, replace(run, seed=run.seed + 1))


@pytest.mark.parametrize(
    ("file", "stale"),
    [
        (f"blocks/{BLOCK}.py", True),
        ("blocks/growth.py", True),
        ("physics.py", True),
        ("posterior.py", True),
        ("inputs/elicitation.py", True),
        ("inputs/comparisons.py", False),
        (f"blocks/{OTHER}.py", False),
        ("blocks/serving/rate.py", False),
        ("cli.py", False),
        ("commands/fit_command.py", False),
    ],
)
def test_a_fit_is_stale_when_code_behind_it_has_changed(
    file: str, stale: bool, run: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "forepass"
    shutil.copytree(ROOMS / "model" / "forepass", package)
    monkeypatch.setattr(fingerprints, "files", lambda _name: package)
    assert not is_stale(BLOCK, run)
    _append(package / file, "\n# another thought\n")
    assert is_stale(BLOCK, run) is stale


@pytest.mark.parametrize(
    ("suffix", "damage"),
    [
        (".nc", b"not a file of draws"),
        (".nc", b""),
        (".json", b"{"),
        (".json", b"[]"),
        (".json", b"{}"),
        (".json", b"\xff\xfe"),
    ],
)
def test_a_damaged_fit_is_made_again_and_the_user_told(
    suffix: str,
    damage: bytes,
    kept: tuple[Settings, Fit],
    run: Settings,
    capsys: pytest.CaptureFixture[str],
) -> None:
    [file] = run.cache.rglob(f"*{suffix}")
    file.write_bytes(damage)
    fit, stages = _stages(run)
    message = capsys.readouterr().err
    assert not fit.from_cache
    assert "sampling" in stages
    assert message.count("\n") == 1
    assert "damaged" in message
    xr.testing.assert_equal(fit.posterior, kept[1].posterior)
    assert fitted([BLOCK], run)[BLOCK].from_cache


def test_one_changed_byte_of_the_draws_is_noticed(
    run: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    [file] = run.cache.rglob("*.nc")
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    assert not fitted([BLOCK], run)[BLOCK].from_cache
    assert "damaged" in capsys.readouterr().err


@pytest.mark.parametrize("suffix", [".nc", ".json"])
def test_a_missing_half_of_a_fit_is_made_again_in_silence(
    suffix: str, run: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    [file] = run.cache.rglob(f"*{suffix}")
    file.unlink()
    assert not fitted([BLOCK], run)[BLOCK].from_cache
    assert capsys.readouterr().err == ""


def test_a_fit_that_cannot_be_kept_is_returned_all_the_same(
    kept: tuple[Settings, Fit], run: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    occupied = _path(run.data, "occupied")
    occupied.write_text("a file, not a folder", encoding="utf-8")
    fit = fitted([BLOCK], replace(run, cache=occupied))[BLOCK]
    xr.testing.assert_equal(fit.posterior, kept[1].posterior)
    assert "not cached" in capsys.readouterr().err
    assert occupied.read_text(encoding="utf-8") == "a file, not a folder"


def test_a_cache_that_was_never_there_is_not_called_damaged(
    run: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    occupied = _path(run.data, "occupied")
    occupied.write_text("a file, not a folder", encoding="utf-8")
    fitted([BLOCK], replace(run, cache=occupied))
    assert "damaged" not in capsys.readouterr().err


def test_nothing_half_written_is_left_beside_a_fit(kept: tuple[Settings, Fit]) -> None:
    files = sorted(path.suffix for path in kept[0].cache.rglob("*") if path.is_file())
    assert files == [".json", ".nc"]


def test_a_fit_that_fell_short_is_refused_with_what_to_do(
    run: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_fits, "RHAT_LIMIT", 0.5)
    with pytest.raises(FitFailed, match=rf"'{BLOCK}' fell short.*forepass fit --block {BLOCK}"):
        fitted([BLOCK], run)


def test_a_fit_that_fell_short_is_tried_again_with_smaller_steps(
    run: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_fits, "RHAT_LIMIT", 0.5)
    fit, stages = _stages(run, force=True, unsafe=True)
    assert stages.count("sampling") == len(posterior.ATTEMPTS)
    assert not fit.diagnostics.passed


def test_a_user_who_insists_gets_the_fit_that_fell_short(
    kept: tuple[Settings, Fit], run: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_fits, "RHAT_LIMIT", 0.5)
    fit = fitted([BLOCK], run, unsafe=True)[BLOCK]
    assert not fit.diagnostics.passed
    xr.testing.assert_equal(fit.posterior, kept[1].posterior)


@pytest.mark.parametrize(
    ("belief", "message"),
    [
        (BELIEF.replace("[level]", "[levle]"), "levle"),
        (BELIEF.replace("judgement", "hearsay"), "hearsay"),
        ("", "level is missing"),
    ],
    ids=["misspelt", "of no source", "missing"],
)
def test_a_prior_that_the_model_cannot_take_is_refused_before_sampling(
    belief: str, message: str, run: Settings
) -> None:
    _path(run.priors, f"{BLOCK}.toml").write_text(belief, encoding="utf-8")
    with pytest.raises(InputError, match=message):
        fitted([BLOCK], run)


def _diagnostics(**figures: float) -> Diagnostics:
    good: dict[str, Any] = {"rhat": 1.005, "ess_bulk": 900.0, "ess_tail": 900.0, "divergences": 0}
    return Diagnostics(block=BLOCK, seconds=1.0, draws=4000, **{**good, **figures})


def test_chains_that_agree_pass() -> None:
    assert _diagnostics().passed
    assert _diagnostics(rhat=1.01, ess_bulk=400, ess_tail=400).passed


@pytest.mark.parametrize(
    "figures",
    [
        {"rhat": 1.011},
        {"ess_bulk": 399},
        {"ess_tail": 399},
        {"divergences": 1},
        {"rhat": np.nan},
        {"ess_bulk": np.nan},
        {"ess_tail": np.nan},
    ],
    ids=str,
)
def test_chains_that_disagree_or_cannot_be_judged_fall_short(figures: dict[str, float]) -> None:
    assert not _diagnostics(**figures).passed


def test_every_block_has_a_seed_of_its_own_that_follows_from_the_root_seed(run: Settings) -> None:
    seeds = {block_seed(block, replace(run, seed=root)) for block in BLOCKS for root in (1, 2)}
    assert len(seeds) == 2 * len(BLOCKS)
    assert block_seed(BLOCK, run) == block_seed(BLOCK, run)


class _Interrupted:
    """A sampler whose user lost patience."""

    cancelled = False

    def wait(self) -> None:
        raise KeyboardInterrupt

    def cancel(self) -> None:
        type(self).cancelled = True


def test_an_interrupt_while_sampling_stops_the_sampler_and_keeps_nothing(
    run: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    import nutpie

    before = {path: path.read_bytes() for path in run.cache.rglob("*") if path.is_file()}
    monkeypatch.setattr(nutpie, "sample", lambda *_, **__: _Interrupted())
    with pytest.raises(KeyboardInterrupt):
        fitted([BLOCK], run, force=True)
    assert _Interrupted.cancelled
    after = {path: path.read_bytes() for path in run.cache.rglob("*") if path.is_file()}
    assert after == before


def test_side_by_side_blocks_are_the_same_and_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from contextlib import nullcontext

    from forepass import tasks

    asked: list[int] = []

    def no_processes(workers: int) -> nullcontext[None]:
        asked.append(workers)
        return nullcontext()

    monkeypatch.setattr(tasks, "cluster", no_processes)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    settings = _folders(tmp_path)
    told: list[tuple[str, str]] = []
    apart = fitted(
        [BLOCK, OTHER], settings, side_by_side=True, progress=lambda *said: told.append(said)
    )
    assert asked == [2]
    assert [block for block, stage in told if stage == "done"] == sorted(
        [BLOCK, OTHER], key=posterior.LONGEST_FIRST.index
    )
    alone = fitted([BLOCK, OTHER], settings, force=True)
    again = fitted([BLOCK, OTHER], settings, side_by_side=True)
    for block in (BLOCK, OTHER):
        assert apart[block].posterior.identical(alone[block].posterior)
        assert again[block].from_cache
    assert asked == [2]  # nothing was left to fit


def test_one_block_is_fitted_where_it_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from forepass import tasks

    monkeypatch.setattr(tasks, "cluster", lambda _: pytest.fail("processes for one block"))
    fitted([BLOCK], _folders(tmp_path), side_by_side=True)


def test_the_processes_of_a_fit_that_fell_short_have_ended_when_it_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from contextlib import contextmanager

    from forepass import kept_fits, tasks

    ended: list[bool] = []

    @contextmanager
    def no_processes(_workers: int) -> Iterator[None]:
        try:
            yield None
        finally:
            ended.append(True)

    monkeypatch.setattr(tasks, "cluster", no_processes)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    monkeypatch.setattr(kept_fits, "RHAT_LIMIT", 0.5)
    with pytest.raises(posterior.FitFailed) as told:
        fitted([BLOCK, OTHER], _folders(tmp_path), side_by_side=True)
    assert ended == [True]
    assert told.value.__traceback__  # which holds what was running
