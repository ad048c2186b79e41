"""Attacks, one file each; every one of them once worked."""
