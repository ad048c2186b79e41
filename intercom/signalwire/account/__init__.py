"""The subscriber's account: credentials, tokens, registration and the directory, over HTTP.

Begin with `credentials.py`.
"""
