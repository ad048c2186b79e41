"""The chaos run: everything is pulled at random under a stream of calls, and in the end nothing is left of it."""
