"""Names resolve however people write them, and never to the wrong thing."""

from collections.abc import Mapping

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forepass.errors import InputError
from forepass.inputs.names import build_index, normalise, resolve
from forepass.inputs.records import chip_index, chip_record, model_index, model_record
from forepass.inputs.tables import load_tables

ROWS = (
    ("h100-sxm", "H100|H100 SXM5"),
    ("h100-pcie", ""),
    ("h200-sxm", "H200"),
    ("a100-sxm-80gb", "A100"),
    ("a100-sxm-40gb", "A100 40GB"),
    ("mi300x", ""),
    ("tpu-v6e", "Trillium"),
    ("gpt-4", ""),
    ("gpt-4.1", ""),
    ("llama-3.1-70b", ""),
    ("command-r", ""),
    ("command-r+", ""),
)
INDEX = build_index(ROWS)
SEPARATORS = st.sampled_from(["", " ", "-", "_", ".", " - "])


@pytest.fixture(scope="module")
def tables() -> Mapping[str, pd.DataFrame]:
    return load_tables(["chips", "language_models"])


@given(st.sampled_from(sorted(INDEX)), st.data())
def test_case_spaces_and_punctuation_do_not_matter(spelling: str, data: st.DataObject) -> None:
    letters = [
        data.draw(st.sampled_from([letter, letter.upper()])) + data.draw(SEPARATORS)
        for letter in spelling
    ]
    assert resolve("".join(letters), INDEX) == INDEX[spelling]


@given(st.text())
def test_normalising_twice_changes_nothing(text: str) -> None:
    assert normalise(normalise(text)) == normalise(text)


@given(st.text())
def test_any_text_resolves_to_a_known_name_or_is_refused_in_one_line(text: str) -> None:
    try:
        answer = resolve(text, INDEX)
    except InputError as error:
        answer = str(error)
    assert answer in set(INDEX.values()) or answer.isprintable()


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("NVIDIA H100", "h100-sxm"),
        ("NVIDIA H100 Tensor Core GPU", "h100-sxm"),
        ("AMD Instinct MI300X", "mi300x"),
        ("Google TPU v6e", "tpu-v6e"),
        ("Google Cloud Trillium", "tpu-v6e"),
        ("meta-llama/Llama-3.1-70B-Instruct", "llama-3.1-70b"),
        ("neuralmagic/Llama-3.1-70B-Instruct-FP8", "llama-3.1-70b"),
        ("llama-3.1-70b-chat", "llama-3.1-70b"),
        ("llama-3.1-70b-nvfp4", "llama-3.1-70b"),
        ("openai/gpt-4", "gpt-4"),
        ("GPT-4.1", "gpt-4.1"),
        ("Command R+", "command-r+"),
        ("command-r", "command-r"),
    ],
)
def test_common_decorations_are_left_off(text: str, name: str) -> None:
    assert resolve(text, INDEX) == name


def test_an_exact_name_wins_over_a_stripped_one() -> None:
    index = build_index([("llama-2-70b", ""), ("llama-2-70b-chat", "")])
    assert resolve("meta/Llama-2-70B-chat", index) == "llama-2-70b-chat"


def test_two_ways_to_strip_to_two_names_are_refused() -> None:
    index = build_index([("nvidia-x1", ""), ("x1-chat", "")])
    with pytest.raises(InputError, match="did you mean nvidia-x1, x1-chat"):
        resolve("nvidia-x1-chat", index)


def test_an_unknown_name_is_answered_with_the_closest_ones() -> None:
    with pytest.raises(InputError) as refusal:
        resolve("H1000", INDEX)
    assert str(refusal.value) == "unknown chip 'H1000': did you mean h100-sxm, h100-pcie, h200-sxm?"


def test_the_place_of_an_unknown_name_comes_first() -> None:
    with pytest.raises(InputError, match=r"^in.csv line 3: unknown model 'zzzz': no model is"):
        resolve("zzzz", INDEX, kind="model", where="in.csv line 3")


@pytest.mark.parametrize("text", ["", "  ", "---"])
def test_a_name_without_letters_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        resolve(text, INDEX)


def test_a_makers_name_alone_is_no_chip() -> None:
    with pytest.raises(InputError, match="unknown chip 'NVIDIA'"):
        resolve("NVIDIA", INDEX)


def test_one_spelling_for_two_names_is_refused() -> None:
    with pytest.raises(InputError, match="'h-100' stands for both 'h100-sxm' and 'h100-pcie'"):
        build_index([("h100-sxm", "H100"), ("h100-pcie", "h-100")])


def test_every_shipped_spelling_stands_for_one_name(tables: Mapping[str, pd.DataFrame]) -> None:
    for index, table, key in (
        (chip_index(tables), tables["chips"], "chip"),
        (model_index(tables), tables["language_models"], "model"),
    ):
        for name, aliases in zip(table[key], table["aliases"], strict=True):
            for spelling in (name, *(aliases.split("|") if isinstance(aliases, str) else ())):
                assert resolve(spelling, index) == name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("A100", "a100-sxm-80gb"),
        ("a100-40gb", "a100-sxm-40gb"),
        ("NVIDIA A100-SXM4-80GB", "a100-sxm-80gb"),
        ("H100", "h100-sxm"),
        ("H100-80GB", "h100-sxm"),
        ("TPU v7", "tpu-v7"),
        ("Ironwood", "tpu-v7"),
        ("TPU v6e 32GB", "tpu-v6e"),
        ("AMD Instinct MI300X 192GB", "mi300x"),
    ],
)
def test_obvious_short_names_of_shipped_chips_resolve(
    text: str, name: str, tables: Mapping[str, pd.DataFrame]
) -> None:
    assert chip_record(text, tables).name == name


@pytest.mark.parametrize("text", ["h100-40gb", "mi300x 80GB"])
def test_memory_that_a_chip_does_not_have_is_refused(
    text: str, tables: Mapping[str, pd.DataFrame]
) -> None:
    with pytest.raises(InputError, match="did you mean"):
        chip_record(text, tables)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("gpt-4", "gpt-4"),
        ("GPT 4.1", "gpt-4.1"),
        ("minimax-m2.5", "minimax-m2"),
        ("deepseek-ai/DeepSeek-V3", "deepseek-v3"),
        ("meta-llama/Llama-3.1-70B-Instruct", "llama-3.1-70b"),
    ],
)
def test_obvious_names_of_shipped_models_resolve(
    text: str, name: str, tables: Mapping[str, pd.DataFrame]
) -> None:
    assert model_record(text, tables).name == name
