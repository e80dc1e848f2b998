"""Checks of fits and of the forecast made from them, each with a stated limit."""
