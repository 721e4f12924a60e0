"""The command line: `main.py` finds the verb, and each other file is one verb."""
