"""Simulation-based calibration: whether a block finds again what its own data were made from."""
