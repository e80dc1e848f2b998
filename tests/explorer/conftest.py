"""A page of draws of the priors, and a browser to open it in."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from forepass.explorer.page_file import page_text
from forepass.what_if.changed import Changed
from forepass.what_if.scenarios import plain

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Request

YEARS = range(2026, 2032)
FRAME = {"seed": 1, "as_of": "2026-11", "request": {"scenario_named": None, "options": []}}


@pytest.fixture(scope="session")
def document(found: Changed) -> dict[str, Any]:
    """Return the contents of the page of those draws."""
    from forepass.explorer.contents import contents

    return FRAME | contents(found, plain(), YEARS, seed=1)


class Opened:
    """A page in the browser, and what it complained about or asked the network for."""

    def __init__(self, browser: "Browser", path: Path, width: int = 1280, scheme: str = "") -> None:
        self.complaints: list[str] = []
        context = browser.new_context(
            viewport={"width": width, "height": 900},
            color_scheme="dark" if scheme == "dark" else "light",
        )
        self.page: Page = context.new_page()
        self.path = path
        self.page.on("console", lambda told: self.complaints.append(told.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", self._asked)

    def _asked(self, request: "Request") -> None:
        if not request.url.startswith((self.path.as_uri(), "data:", "blob:")):
            self.complaints.append(request.url)

    def open(self, state: str = "") -> None:
        """Open the page anew in a state and wait until it is drawn."""
        self.page.goto("about:blank")
        self.page.goto(f"{self.path.as_uri()}#{state}")
        self.page.wait_for_selector("html[data-ready=true]")

    def headline(self, name: str) -> list[float]:
        """Return median, p10 and p90 of a headline as the page's table has them."""
        cell = self.page.locator(f'#all tr[data-headline="{name}"] td').first
        keys = ("data-value", "data-low", "data-high")
        return [float(cell.get_attribute(key) or "nan") for key in keys]


@pytest.fixture(scope="session")
def page_path(document: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the page's file."""
    path = tmp_path_factory.mktemp("explorer") / "page.html"
    path.write_text(page_text(document, "A page"), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def opened(browser: "Browser", page_path: Path) -> Opened:
    """Return the page in a window of a desk's size."""
    return Opened(browser, page_path)
