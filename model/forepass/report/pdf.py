"""The page printed to PDF, where a browser is at hand."""

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
SECONDS = 120
NODE = re.compile(rb"\(node\d{8}\)")
"""What a browser calls the parts of a page, counted on from whatever it showed before."""
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
    path.write_bytes(_settled(path.read_bytes()))
    return None


def _settled(content: bytes) -> bytes:
    """Return a PDF without what changes from one printing to the next, byte for byte as long.

    A PDF lists where each of its objects begins, so that nothing may move.
    """
    nodes = {name: place for place, name in enumerate(sorted(set(NODE.findall(content))))}
    numbered = NODE.sub(lambda found: b"(node%08d)" % nodes[found[0]], content)
    return DATE.sub(lambda found: re.sub(rb"\d", b"0", found[0]), numbered)
