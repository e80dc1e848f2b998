"""Probabilistic forecasts of AI inference capacity and compute overhang."""

__version__ = "0.1.0"
