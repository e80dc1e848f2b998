"""What looks wrong in a table though every cell is sound by itself."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from forepass.inputs.cells import place

NEIGHBOURS = 9


@dataclass(frozen=True, slots=True)
class Finding:
    """One doubtful cell: where it is, what it holds, why it is doubtful, how to mend it."""

    file: str
    line: int
    column: str
    value: str
    message: str
    mend: str

    def __str__(self) -> str:
        """Return the finding as one line."""
        where = f"{self.file} line {self.line}, column {self.column}"
        return f"{where}: {self.message}, got {self.value} ({self.mend})"


def finding(frame: pd.DataFrame, row: int, column: str, message: str, mend: str) -> Finding:
    """Return the finding on one cell of a frame as `forepass.inputs.tables` loads it."""
    file, line = place(frame, row)
    value = frame.loc[row, column]
    shown = f"{value:.4g}" if isinstance(value, float) else repr(value)
    return Finding(file, line, column, shown, message, mend)


def neighbour_ratio(values: pd.Series, years: pd.Series) -> pd.Series:
    """Return each value over the median of its neighbours in time (NaN where either is missing)."""
    known = values.index[values.notna() & years.notna()]
    logs, times = np.log(values[known].to_numpy(float)), years[known].to_numpy(float)
    distance = np.abs(times[:, None] - times[None, :])
    np.fill_diagonal(distance, np.inf)
    nearest = np.argsort(distance, axis=1, kind="stable")[:, :NEIGHBOURS]
    nearest = nearest[:, : max(len(known) - 1, 0)]
    if nearest.shape[1] == 0:
        return pd.Series(np.nan, index=values.index)
    ratios = np.exp(logs - np.median(logs[nearest], axis=1))
    return pd.Series(ratios, index=known).reindex(values.index)
