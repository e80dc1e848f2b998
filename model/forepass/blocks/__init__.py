"""Sub-models: each joins its tables and priors in PyMC and runs a draw forward in time."""
