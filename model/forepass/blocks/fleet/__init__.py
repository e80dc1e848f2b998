"""Fleet: the world's accelerators by vintage, what limits their supply, and who uses them."""

from forepass.blocks.fleet.model import MAY_BE_EMPTY, PRIORS, TABLES, TARGET_ACCEPT, build
from forepass.blocks.fleet.paths import project

__all__ = ["MAY_BE_EMPTY", "PRIORS", "TABLES", "TARGET_ACCEPT", "build", "project"]
