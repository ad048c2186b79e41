"""The unmodified reference client judges the embedded space."""
