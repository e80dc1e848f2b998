"""What given chips do with a given model: bounds, throughput between them, cost, refusals."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from forepass.errors import InputError
from forepass.forward.capacity import PassesRequest, configuration, passes, predict
from forepass.inputs.definitions import load_definitions
from forepass.posterior import Fit

type Tables = Mapping[str, pd.DataFrame]
type Fits = Mapping[str, Fit]
type Answered = Callable[..., xr.Dataset]
type Predicted = Callable[..., tuple[pd.DataFrame, dict[int, str]]]

MEDIAN = "output_tokens_per_s_per_chip_p50"
QUANTILES = [f"output_tokens_per_s_per_chip_p{p:02}" for p in (5, 10, 25, 50, 75, 90, 95)]
NOISE_OF_A_MEDIAN = 0.1
"""In logs: some three standard errors of a median of 300 draws, of what measurements scatter by."""


def asked(**changed: Any) -> PassesRequest:  # noqa: ANN401
    usual: dict[str, Any] = {
        "chip": "a100-sxm-80gb",
        "n_chips": 128,
        "model": "gpt-4",
        "weight_bits": 16.0,
        "input_tokens": 1024.0,
        "output_tokens": 512.0,
        "price_usd_per_chip_hour": 1.5,
    }
    return PassesRequest(**usual | changed)


def configurations(*rows: dict[str, Any]) -> pd.DataFrame:
    usual: dict[str, Any] = {
        "chip": "h100-sxm",
        "n_chips": 8,
        "model": "llama-3.1-70b",
        "weight_bits": 16.0,
        "input_tokens": 1000.0,
        "output_tokens": 1000.0,
        "concurrency": np.nan,
    }
    return pd.DataFrame([usual | row for row in rows])


@pytest.fixture(scope="module")
def answered(prior_fits: Fits, question_tables: Tables) -> Answered:
    """Return what answers a request that differs from the usual one."""

    def of(*, tables: Tables = question_tables, **changed: Any) -> xr.Dataset:  # noqa: ANN401
        return passes(asked(**changed), prior_fits, tables, load_definitions())

    return of


@pytest.fixture(scope="module")
def predicted(prior_fits: Fits, question_tables: Tables) -> Predicted:
    """Return what predicts a table."""

    def of(
        table: pd.DataFrame, tables: Tables = question_tables
    ) -> tuple[pd.DataFrame, dict[int, str]]:
        return predict(table, prior_fits, tables, load_definitions())

    return of


@pytest.fixture(scope="module")
def answer(answered: Answered) -> xr.Dataset:
    return answered()


@pytest.fixture(scope="module")
def by_speed(answered: Answered) -> xr.Dataset:
    speeds = [0.01, 5.0, 20.0, 80.0]
    answers = [answered(speed=speed) for speed in speeds]
    return xr.concat(answers, pd.Index(speeds, name="asked"), combine_attrs="drop")


def test_the_bounds_of_an_a100_and_gpt_4_are_those_of_the_post(answer: xr.Dataset) -> None:
    assert answer["passes_upper_per_chip"].item() == pytest.approx(312e12 / 560e9)
    assert round(answer["passes_upper_per_chip"].item()) == 557
    assert answer["passes_lower_per_chip"].item() == pytest.approx(2.039e12 / 560e9)
    assert answer["passes_lower_per_chip"].item() == pytest.approx(3.64, abs=0.005)


def test_no_draw_exceeds_the_upper_bound(answer: xr.Dataset) -> None:
    realised = answer["passes_realised_per_chip"]
    assert realised.sizes["draw"] > 100
    assert (realised > 0).all()
    assert (realised <= answer["passes_upper_per_chip"] * (1 + 1e-12)).all()


def test_share_and_position_say_the_same_rate(answer: xr.Dataset) -> None:
    upper, lower = answer["passes_upper_per_chip"], answer["passes_lower_per_chip"]
    by_share = upper * answer["share_of_upper_bound"]
    by_position = lower * (upper / lower) ** answer["position_between_bounds"]
    xr.testing.assert_allclose(by_share, answer["passes_realised_per_chip"])
    xr.testing.assert_allclose(by_position, answer["passes_realised_per_chip"])


def test_the_total_is_the_rate_of_a_chip_times_the_chips(answer: xr.Dataset) -> None:
    xr.testing.assert_allclose(
        answer["passes_realised_total"], 128 * answer["passes_realised_per_chip"]
    )


def test_cost_is_price_over_rate_in_every_draw(answer: xr.Dataset) -> None:
    per_hour = answer["passes_realised_per_chip"] * 3600
    xr.testing.assert_allclose(answer["cost_usd_per_million_tokens"], 1.5e6 / per_hour)


def test_prompt_and_answer_together_pay_for_all_of_the_time(answered: Answered) -> None:
    out = answered(cached_share=0.25)
    fresh = 1024 * 0.75
    bill = (
        out["cost_usd_per_million_output_tokens"] * 512
        + out["cost_usd_per_million_input_tokens"] * fresh
    )
    xr.testing.assert_allclose(bill, out["cost_usd_per_million_tokens"] * 512)
    assert answered(cached_share=1.0)["cost_usd_per_million_input_tokens"].isnull().all()


def test_without_a_price_cost_is_missing_and_a_note_says_what_to_give(
    answered: Answered, question_tables: Tables
) -> None:
    unpriced = {**question_tables, "chip_prices": question_tables["chip_prices"].iloc[:0]}
    out = answered(price_usd_per_chip_hour=None, tables=unpriced)
    assert out["cost_usd_per_million_tokens"].isnull().all()
    assert out["passes_realised_per_chip"].notnull().all()
    assert "--price" in out.attrs["notes"][-1]


def test_energy_is_power_over_rate(answer: xr.Dataset, prior_fits: Fits) -> None:
    watts = 400 * prior_fits["chips"].posterior["facility_power_ratio"].values
    energy = answer["energy_j_per_token"] * answer["passes_realised_per_chip"]
    np.testing.assert_allclose(energy, watts)


def test_what_binds_adds_up_to_all_of_the_time(answer: xr.Dataset) -> None:
    whole = answer["binding_compute"] + answer["binding_memory"] + answer["binding_latency"]
    np.testing.assert_allclose(whole, 1.0)
    xr.testing.assert_allclose(
        answer["binding_memory"], answer["binding_weights"] + answer["binding_kv_cache"]
    )


def test_every_quantity_has_a_unit_and_a_name_in_words(answer: xr.Dataset) -> None:
    for array in answer.data_vars.values():
        assert array.attrs["units"]
        assert array.attrs["long_name"]


def test_too_few_chips_are_refused_with_the_smallest_count(question_tables: Tables) -> None:
    with pytest.raises(InputError, match=r"does not fit in 44 x a100-sxm-80gb.* at least 45"):
        configuration(asked(n_chips=44), question_tables)
    assert configuration(asked(n_chips=45), question_tables).n_chips == 45


def test_unstated_chips_are_a_power_of_two_that_holds_the_weights(
    question_tables: Tables,
) -> None:
    n_chips = configuration(asked(n_chips=None), question_tables).n_chips
    assert n_chips == 64


def test_unstated_bits_are_those_of_the_release(question_tables: Tables) -> None:
    assert configuration(asked(weight_bits=None), question_tables).bits == 16
    released = configuration(asked(model="deepseek-v3", weight_bits=None), question_tables)
    assert released.bits == 8


def test_weights_at_4_bits_are_widened_to_16_on_an_h100_and_a_note_says_so(
    answered: Answered,
) -> None:
    four, sixteen = (answered(chip="h100-sxm", weight_bits=bits) for bits in (4.0, 16.0))
    assert any("4 bits are multiplied at 16" in note for note in four.attrs["notes"])
    assert not any("multiplied at" in note for note in sixteen.attrs["notes"])
    assert four["passes_upper_per_chip"].item() == sixteen["passes_upper_per_chip"].item()
    assert four["passes_lower_per_chip"].item() == pytest.approx(
        4 * sixteen["passes_lower_per_chip"].item()
    )


@pytest.mark.parametrize(
    ("changed", "closest"),
    [({"chip": "h100-smx"}, "h100-sxm"), ({"model": "lama-3.1-70b"}, "llama-3.1-70b")],
)
def test_an_unknown_name_is_refused_with_the_closest(
    question_tables: Tables, changed: dict[str, str], closest: str
) -> None:
    with pytest.raises(InputError, match=closest):
        configuration(asked(**changed), question_tables)


@pytest.mark.parametrize("changed", [{"model": "gpt-4.1"}, {"chip": "rubin-cpx"}])
def test_what_has_no_published_size_is_refused(
    question_tables: Tables, changed: dict[str, str]
) -> None:
    with pytest.raises(InputError, match="not published"):
        configuration(asked(**changed), question_tables)


def test_a_higher_speed_for_each_user_never_gives_more_throughput(by_speed: xr.Dataset) -> None:
    rate = by_speed["passes_realised_per_chip"].transpose("draw", "asked").values
    # A speed out of reach serves nobody.
    rate = np.nan_to_num(rate)
    assert (np.diff(rate, axis=1) <= 1e-6 * rate[:, :-1]).all()
    assert (rate[:, 1] > rate[:, 2]).any()


def test_users_get_the_speed_that_was_asked_for_or_the_draw_is_missing(
    by_speed: xr.Dataset,
) -> None:
    had = by_speed["passes_realised_per_chip"].notnull()
    enough = by_speed["speed_per_user"] >= by_speed["asked"] * (1 - 1e-6)
    assert (had == enough).all()


def requests_and_speed_give_the_total(out: xr.Dataset) -> None:
    total = out["requests_in_flight"] * out["speed_per_user"]
    # Draws that the upper bound stops, or that cannot give the speed, are not at issue.
    free = out["share_of_upper_bound"] < 1 - 1e-9
    assert free.any()
    xr.testing.assert_allclose(total.where(free), out["passes_realised_total"].where(free))


def test_requests_in_flight_times_their_speed_are_the_total(answered: Answered) -> None:
    requests_and_speed_give_the_total(answered(concurrency=64.0))


def test_requests_at_a_speed_asked_for_times_their_speed_are_the_total(
    by_speed: xr.Dataset,
) -> None:
    requests_and_speed_give_the_total(by_speed)


def test_a_speed_asked_for_never_fills_a_replica_beyond_its_memory(
    by_speed: xr.Dataset, answered: Answered
) -> None:
    crowd = answered(concurrency=1e7)
    slowest = by_speed["requests_in_flight"].sel(asked=0.01)
    assert (slowest <= crowd["requests_in_flight"] * (1 + 1e-9)).all()


def test_quantiles_of_a_prediction_are_in_order(predicted: Predicted) -> None:
    table = configurations({}, {"chip": "a100"}, {"concurrency": 1.0}, {"model": "deepseek-v3"})
    table["n_chips"] = 32
    found, errors = predicted(table)
    assert errors == {}
    assert (found[QUANTILES].diff(axis=1).iloc[:, 1:] > 0).all(axis=None)
    assert (found > 0).all(axis=None)


def test_rows_that_cannot_run_are_errors_by_index_and_the_others_are_done(
    predicted: Predicted,
) -> None:
    table = configurations(
        {}, {"chip": "h100-smx"}, {"n_chips": 1}, {"model": "gpt-4.1"}, {"chip": "b200"}
    )
    table.index = pd.Index([10, 20, 30, 40, 50])
    found, errors = predicted(table)
    assert found.index.tolist() == [10, 50]
    assert found.notna().all(axis=None)
    assert sorted(errors) == [20, 30, 40]
    assert "h100-sxm" in errors[20]
    assert "at least 2" in errors[30]
    assert "not published" in errors[40]


def test_a_row_hardly_depends_on_the_rows_beside_it(predicted: Predicted) -> None:
    rows: list[dict[str, Any]] = [{}, {"chip": "a100"}, {"chip": "mi300x", "concurrency": 4.0}]
    forward, _ = predicted(configurations(*rows))
    backward, _ = predicted(configurations(*rows[::-1]))
    alone, _ = predicted(configurations(rows[2]))
    off = np.log(forward[MEDIAN].to_numpy() / backward[MEDIAN].to_numpy()[::-1])
    assert np.abs(off).max() < NOISE_OF_A_MEDIAN
    assert abs(np.log(forward[MEDIAN].iloc[2] / alone[MEDIAN].iloc[0])) < NOISE_OF_A_MEDIAN


def test_the_same_table_gives_the_same_numbers(predicted: Predicted) -> None:
    table = configurations({}, {"chip": "b200"})
    first, again = (predicted(table)[0] for _ in range(2))
    pd.testing.assert_frame_equal(first, again)


def test_a_long_table_keeps_its_rows_and_their_index(predicted: Predicted) -> None:
    table = configurations(*[{"concurrency": float(1 + n % 7)} for n in range(403)])
    table.index = pd.RangeIndex(1000, 1403)
    found, errors = predicted(table)
    assert errors == {}
    pd.testing.assert_index_equal(found.index, table.index)
    assert found.notna().all(axis=None)
    # More requests in flight give more tokens, wherever in the table they stand.
    medians = found[MEDIAN].groupby(table["concurrency"]).agg(["min", "max"])
    assert (medians["min"].iloc[1:].to_numpy() > medians["max"].iloc[:-1].to_numpy()).all()


def test_a_chip_that_does_not_exist_yet_is_predicted_like_any_other(
    predicted: Predicted, question_tables: Tables
) -> None:
    chips = question_tables["chips"]
    made_up = chips[chips["chip"] == "h100-sxm"].assign(chip="x900", aliases=None)
    for column in ("flops_16bit_flop_per_s", "memory_bandwidth_bytes_per_s"):
        made_up[column] *= 4
    extended = {**question_tables, "chips": pd.concat([chips, made_up], ignore_index=True)}
    table = configurations({"chip": "x900"}, {})
    found, errors = predicted(table, extended)
    assert errors == {}
    assert 1.5 < found[MEDIAN].iloc[0] / found[MEDIAN].iloc[1] < 4.5
    _, unknown = predicted(table)
    assert list(unknown) == [0]


def test_unstated_bits_and_dates_are_filled(predicted: Predicted) -> None:
    stated = configurations({"date": load_definitions().software_date})
    left = configurations({"date": "", "weight_bits": np.nan})
    first, second = (predicted(table)[0] for table in (stated, left))
    pd.testing.assert_frame_equal(first, second)


def test_a_table_without_a_row_that_can_run_has_no_predictions(predicted: Predicted) -> None:
    empty = configurations({}).iloc[:0]
    found, errors = predicted(empty)
    assert found.empty
    assert found.columns.tolist() == QUANTILES
    assert errors == {}
    hopeless = configurations({"chip": "nothing"})
    found, errors = predicted(hopeless)
    assert found.empty
    assert list(errors) == [0]
