"""Language models: sizes, sparsity, cache, formats, and the compute that a capability takes."""

from forepass.blocks.language_models.model import (
    CONVENTIONS,
    DRAWS,
    MAY_BE_EMPTY,
    PRIORS,
    STRUCTURES,
    TABLES,
    TWICE,
    build,
    project,
)

__all__ = [
    "CONVENTIONS",
    "DRAWS",
    "MAY_BE_EMPTY",
    "PRIORS",
    "STRUCTURES",
    "TABLES",
    "TWICE",
    "build",
    "project",
]
