"""The command line: `main` builds the parser, and each other module carries out a command or a few."""
