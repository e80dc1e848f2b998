"""What is changed by hand: named scenarios, beliefs pinned, quantities set by year."""
