"""How likely the data are under each draw: held to another way of computing it, and kept."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from forepass.likelihoods import log_likelihood
from forepass.posterior import Fit, build_model
from forepass.settings import Settings

BLOCK, DRAWS = "training", 40


@pytest.fixture(scope="module")
def fit(forward_fits: Mapping[str, Fit]) -> Fit:
    made = forward_fits[BLOCK]
    return replace(made, posterior=made.posterior.isel(draw=slice(0, DRAWS)), key="a" * 40)


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return Settings(cache=tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="module")
def found(fit: Fit, settings: Settings) -> np.ndarray:
    return log_likelihood(BLOCK, fit, settings)


def kept_file(settings: Settings) -> Path:
    (path,) = (settings.cache / "likelihoods").iterdir()
    return path


def test_it_is_the_sum_over_rows_that_the_library_gives(found: np.ndarray, fit: Fit) -> None:
    import pymc as pm

    with build_model(BLOCK, Settings()) as model:
        names = [variable.name for variable in model.free_RVs]
        tree = xr.DataTree.from_dict({"posterior": fit.posterior[names].expand_dims("chain")})
        rows = pm.compute_log_likelihood(tree, extend_inferencedata=False, progressbar=False)
    total = sum(
        rows[name]
        .isel(chain=0)
        .sum([dim for dim in rows[name].dims if dim not in ("chain", "draw")])
        for name in rows.data_vars
    )
    np.testing.assert_allclose(found, total, rtol=1e-9)
    assert np.ptp(found) > 1


def test_it_is_kept_by_the_fit_and_read_back(
    found: np.ndarray, fit: Fit, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "forepass.likelihoods.build_model", lambda *_: pytest.fail("computed again")
    )
    np.testing.assert_array_equal(log_likelihood(BLOCK, fit, settings), found)


def test_what_is_damaged_is_named_and_computed_again(
    found: np.ndarray, fit: Fit, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    path = kept_file(settings)
    path.write_text(path.read_text(encoding="utf-8").replace("-", "", 1), encoding="utf-8")
    np.testing.assert_allclose(log_likelihood(BLOCK, fit, settings), found)
    assert f"{path} is damaged" in capsys.readouterr().err
