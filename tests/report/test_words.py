"""Words that hang on numbers turn exactly where their thresholds say."""

import math

import pytest

from forepass.report import words


@pytest.mark.parametrize(
    ("p", "word"),
    [
        (1.0, "virtually certain"),
        (0.99, "virtually certain"),
        (0.9899, "very likely"),
        (0.90, "very likely"),
        (0.8999, "likely"),
        (0.66, "likely"),
        (0.6599, "about as likely as not"),
        (0.33, "about as likely as not"),
        (0.3299, "unlikely"),
        (0.10, "unlikely"),
        (0.0999, "very unlikely"),
        (0.01, "very unlikely"),
        (0.0099, "exceptionally unlikely"),
        (0.0, "exceptionally unlikely"),
    ],
)
def test_a_probability_has_the_word_of_its_band(p: float, word: str) -> None:
    assert words.likely(p) == word


@pytest.mark.parametrize(
    ("p", "word"),
    [
        (0.66, "rises"),
        (0.6599, "is about as likely to rise as to fall"),
        (0.3401, "is about as likely to rise as to fall"),
        (0.34, "falls"),
    ],
)
def test_a_quantity_moves_where_the_chance_says_so(p: float, word: str) -> None:
    assert words.moves(p) == word


@pytest.mark.parametrize(
    ("ratio", "word"),
    [
        (1.0999, "hardly changes"),
        (1.1, "grows by 10%"),
        (1.9999, "grows by 100%"),
        (2.0, "grows 2-fold"),
        (9.94, "grows 9.9-fold"),
        (9.96, "grows 10-fold"),
        (1234.0, "grows 1,200-fold"),
        (1 / 1.0999, "hardly changes"),
        (1 / 1.1, "falls by 9%"),
        (0.5001, "falls by 50%"),
        (0.5, "falls 2-fold"),
        (0.01, "falls 100-fold"),
    ],
)
def test_a_ratio_is_said_as_people_say_it(ratio: float, word: str) -> None:
    assert words.changes(ratio) == word


@pytest.mark.parametrize("ratio", [0.0, -1.0, math.inf, math.nan])
def test_a_ratio_that_is_none_is_refused(ratio: float) -> None:
    with pytest.raises(ValueError, match="a ratio must be above 0"):
        words.changes(ratio)


@pytest.mark.parametrize(
    ("high", "word"),
    [
        (1.5, "closely known"),
        (1.51, "known within a factor of about two either way"),
        (4.0, "known within a factor of about two either way"),
        (4.01, "known to an order of magnitude"),
        (10.0, "known to an order of magnitude"),
        (10.1, "uncertain by more than an order of magnitude"),
        (100.0, "uncertain by more than an order of magnitude"),
        (100.1, "fit for scenarios only"),
    ],
)
def test_width_says_how_sure_we_are(high: float, word: str) -> None:
    assert words.sure(1.0, high) == word


@pytest.mark.parametrize(
    ("share", "level", "word"),
    [
        (0.7001, 0.8, "about right"),
        (0.6999, 0.8, "too narrow"),
        (0.8999, 0.8, "about right"),
        (0.9001, 0.8, "too wide"),
        (0.38, 0.5, "too narrow"),
    ],
)
def test_cover_is_judged_against_its_own_level(share: float, level: float, word: str) -> None:
    assert words.covers(share, level) == word


@pytest.mark.parametrize("p", [-0.01, 1.01, math.nan])
def test_what_is_no_probability_is_refused(p: float) -> None:
    for word in (words.likely, words.moves):
        with pytest.raises(ValueError, match=r"must be in \[0, 1\]"):
            word(p)


def test_verdicts_fall_in_groups() -> None:
    assert words.agrees("above, 2.1 times") == "above"
    assert words.agrees("below, by 3") == "below"
    assert words.agrees("a part: 0.3 of the whole") == "a part"
    assert words.agrees("intervals overlap") == "intervals overlap"
