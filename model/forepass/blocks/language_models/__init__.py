"""Language models: sizes, sparsity, cache, formats, and the compute that a capability takes."""

from forepass.blocks.language_models.model import (
    CONVENTIONS,
    DRAWS,
    PRIORS,
    STRUCTURES,
    TABLES,
    TWICE,
    build,
    project,
)

__all__ = ["CONVENTIONS", "DRAWS", "PRIORS", "STRUCTURES", "TABLES", "TWICE", "build", "project"]
