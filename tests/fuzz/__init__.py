"""Mutated and grammar-made input for everything that reads what others send; `make fuzz MINUTES=…` drives it."""
