"""What moves an answer: shares of its variance, what low and high do, and whether priors decide."""
