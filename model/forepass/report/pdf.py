"""The page printed to PDF, where a browser is at hand."""

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

__all__ = ["printed"]

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
SECONDS = 120
DATE = re.compile(rb"/(CreationDate|ModDate) \(D:[^)]*\)")


def printed(page: Path, path: Path) -> str | None:
    """Print a page to ``path``, and return why that could not be done, or None.

    Dates of printing are left out, so that one page gives one file.
    """
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        return "no browser to print with (chromium or chrome)"
    # Browsers refuse to shut root in.
    rights = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    with tempfile.TemporaryDirectory() as profile:
        command = [browser, "--headless", "--disable-gpu", *rights, f"--user-data-dir={profile}"]
        command += ["--no-pdf-header-footer", f"--print-to-pdf={path}", page.resolve().as_uri()]
        try:
            done = subprocess.run(command, capture_output=True, timeout=SECONDS, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            return f"{browser}: {error}"
    if done.returncode or not path.is_file():
        return f"{browser} ended with status {done.returncode}"
    content = path.read_bytes()
    path.write_bytes(DATE.sub(lambda found: _blank(found[0]), content))
    return None


def _blank(date: bytes) -> bytes:
    """Return a date of as many bytes, as a PDF lists where each of its objects begins."""
    return re.sub(rb"\d", b"0", date)
