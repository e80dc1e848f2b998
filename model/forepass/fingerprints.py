"""Content hashes: what an answer or a fit was made from, cheap enough to ask at every start."""

import hashlib
from collections.abc import Iterable, Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable

from forepass import limits
from forepass.inputs.text_files import read_bytes

NUMERICAL_PACKAGES = ("numpy", "pymc", "pytensor", "nutpie", "xarray")


def fingerprint(paths: Iterable[Traversable], *, salt: str = "") -> str:
    """Return the SHA-256 of a salt and of the names and contents of files, whatever their order."""
    digest = hashlib.sha256(salt.encode())
    for name, content in sorted(
        (path.name, read_bytes(path, path.name, most_bytes=limits.TABLE_BYTES)) for path in paths
    ):
        digest.update(f"{name}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def input_hashes(data: Traversable, priors: Traversable) -> dict[str, str]:
    """Return the hashes of tables, of priors, and of the code with its numerical packages."""
    return {
        "data": fingerprint(ending(data, ".csv")),
        "priors": fingerprint(ending(priors, ".toml")),
        "code": fingerprint(code_files(), salt=numerical_versions()),
    }


def code_files(*places: str) -> Iterator[Traversable]:
    """Yield the Python files of the package, or only those under ``places`` (files or folders)."""
    package = files("forepass")
    if not places:
        yield from _python(package)
        return
    for place in places:
        path = package.joinpath(*place.split("/"))
        if path.is_dir():
            yield from _python(path)
        elif path.is_file():
            yield path


def numerical_versions() -> str:
    """Return the versions of the packages whose change may change numbers."""
    from importlib.metadata import version  # slow to load, and a cached answer asks for none

    return " ".join(f"{name}={version(name)}" for name in NUMERICAL_PACKAGES)


def _python(folder: Traversable) -> Iterator[Traversable]:
    for path in folder.iterdir():
        if path.is_dir() and path.name not in ("data", "priors", "reports", "__pycache__"):
            yield from _python(path)
        elif path.name.endswith(".py"):
            yield path


def ending(folder: Traversable, suffix: str) -> Iterator[Traversable]:
    """Yield the files of a folder whose names end so."""
    return (path for path in folder.iterdir() if path.name.endswith(suffix))
