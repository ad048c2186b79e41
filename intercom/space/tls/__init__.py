"""The house's certificate authority, the certificates that the space shows, and how devices learn to trust them.

Begin with `tls.py`.
"""
