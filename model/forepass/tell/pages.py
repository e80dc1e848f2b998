"""What the pages share: places filled once each, and a policy that knows a text by its hash."""

import base64
import hashlib
from collections.abc import Mapping

from forepass.errors import InputError


def filled(frame: str, slots: Mapping[str, str]) -> str:
    """Return a frame with each value put where its name stands as a comment, ``<!--NAME-->``.

    Each is put once, in order, and what is put there is not looked into again.

    Raises
    ------
    InputError
        Where the frame lacks a place.
    """
    for slot, value in slots.items():
        before, mark, after = frame.partition(f"<!--{slot}-->")
        if not mark:
            raise InputError(f"page.html: <!--{slot}--> is missing")
        frame = before + value + after
    return frame


def known_by(text: str) -> str:
    """Return the source that a content security policy knows a text by."""
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
