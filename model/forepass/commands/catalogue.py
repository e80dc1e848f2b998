"""Chips and models that a question may name: the tables', and the user's own beside them."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from forepass.settings import Settings

__all__ = ["check_names", "load"]

TABLES = ("chips", "language_models", "chip_prices")


def load(
    settings: "Settings", *, chips_file: Path | None = None, models_file: Path | None = None
) -> "dict[str, pd.DataFrame]":
    """Return the tables of chips, models and prices, with the rows of a user's own files.

    Raises
    ------
    InputError
        When a row of any of them is bad.
    """
    from forepass.inputs import tables

    loaded = tables.load_tables(TABLES, settings.data)
    for kind, path in (("chips", chips_file), ("language_models", models_file)):
        if path is not None:
            loaded = tables.with_user_table(loaded, kind, tables.load_user_table(kind, path))
    return loaded


def check_names(tables: "Mapping[str, pd.DataFrame]", *, chip: str, model: str) -> None:
    """Raise ``InputError`` with the closest names unless both names are known."""
    from forepass.inputs import names

    for text, kind, table in ((chip, "chip", "chips"), (model, "model", "language_models")):
        rows = tables[table][[kind, "aliases"]].fillna("")
        index = names.build_index(rows.itertuples(index=False, name=None))
        names.resolve(text, index, kind)
