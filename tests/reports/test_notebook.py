"""The notebook runs from top to bottom, and is kept without what it put out."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from forepass import kept_fits, posterior
from forepass.posterior import Fit
from forepass.rooms import CHECKOUT
from forepass.settings import Settings

NOTEBOOK = CHECKOUT / "reports" / "notebook.ipynb"
LINES = 35


def read() -> nbformat.NotebookNode:
    text = Path(NOTEBOOK).read_text(encoding="utf-8")
    return nbformat.reads(text, as_version=4)  # type: ignore[no-untyped-call]


@pytest.fixture
def kept(tmp_path: Path, forward_fits: Mapping[str, Fit], monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep draws of the priors where the notebook, a process of its own, looks for fits."""
    for name, fit in forward_fits.items():
        kept_fits.keep_fit(name, replace(fit, key=posterior._key(name, Settings())), tmp_path)
    monkeypatch.setenv("FOREPASS_CACHE", str(tmp_path))
    monkeypatch.delenv("MPLBACKEND", raising=False)


def test_the_notebook_is_short_and_kept_without_output() -> None:
    code = [cell for cell in read().cells if cell.cell_type == "code"]
    assert all(not cell.outputs and cell.execution_count is None for cell in code)
    lines = [line for cell in code for line in cell.source.splitlines() if line.strip()]
    assert len(lines) <= LINES


@pytest.mark.usefixtures("kept")
@pytest.mark.filterwarnings("ignore::DeprecationWarning:jupyter_.*")
def test_the_notebook_runs_and_draws_its_figures() -> None:
    ran = NotebookClient(read(), timeout=300, kernel_name="python3").execute()
    outputs = [output for cell in ran.cells for output in cell.get("outputs", [])]
    assert sum("image/png" in output.get("data", {}) for output in outputs) == 3
    told = "".join(output.text for output in outputs if output.output_type == "stream")
    assert "World output capacity" in told
    assert "Power-bound over baseline in 2030: " in told
    assert not [output for output in outputs if output.get("name") == "stderr"]
