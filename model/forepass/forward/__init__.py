"""How draws of every block run forward in time, and what follows from them."""
