"""The subscriber's account: credentials, tokens, registration and the directory, over HTTP."""
