"""What moves an answer: shares of its variance, what low and high do, and whether priors decide."""

GOOD_K = 0.7
"""Above this Pareto k the draws of one posterior cannot stand for another."""
