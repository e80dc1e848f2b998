"""What every test shares: figures without a screen, and NaN treated as NaN in compiled models."""

import os

os.environ.setdefault("MPLBACKEND", "Agg")
os.environ.setdefault("PYTENSOR_FLAGS", "numba__fastmath=False")
