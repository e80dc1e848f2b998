"""The register that is published with the project, as a report tells of it."""

from pathlib import Path

from forepass.register.folder import read_register
from forepass.rooms import room

__all__ = ["recorded"]


def recorded() -> list[dict[str, str]]:
    """Return its entries: the name of each, when and why it was recorded; none in a wheel."""
    folder = room("reports/register")
    if not isinstance(folder, Path) or not folder.is_dir():
        return []
    return [
        {
            "entry": entry.name.removesuffix(".json"),
            "created": str(entry.document["created"]),
            "reason": str(entry.document["reason"]),
        }
        for entry in read_register(folder).entries
    ]
