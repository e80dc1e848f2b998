"""Chips and models that a question may name: the tables', and the user's own beside them."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from forepass.settings import Settings

TABLES = ("chips", "language_models", "chip_prices")


def load(
    settings: "Settings", *, chips_file: Path | None = None, models_file: Path | None = None
) -> "dict[str, pd.DataFrame]":
    """Return the tables of chips, models and prices, with the rows of a user's own files."""
    from forepass.as_of import refuse_unseen
    from forepass.inputs import tables

    refuse_unseen(TABLES, settings)
    loaded = tables.load_tables(TABLES, settings.data)
    for kind, path in (("chips", chips_file), ("language_models", models_file)):
        if path is not None:
            loaded = tables.with_user_table(loaded, kind, tables.load_user_table(kind, path))
    return loaded
