"""Files read into validated objects with units."""
