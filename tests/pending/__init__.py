"""What the command line is still to answer: run by name, and moved to tests/cli as it is met."""
