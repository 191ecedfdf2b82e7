"""The version of pastream, a command-line audio recorder and player that cannot lose your take."""

__version__ = "0.1.0"
