"""A SignalWire subscriber client."""
