"""What ends a command."""


class Failure(Exception):
    """A sentence for the user; exit code 2."""
