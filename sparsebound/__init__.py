"""The front door: the command line, one module a command."""
