"""Command lines."""

import argparse

from varve_cli.failure import Failure


class Parser(argparse.ArgumentParser):
    """One that fails with a sentence, as everything else in the command does."""

    def error(self, message):
        raise Failure(f"{message}; see {self.prog} --help")
