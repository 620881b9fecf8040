"""`python -m adapter`: the command line without installing it."""

from adapter.cli import main

if __name__ == "__main__":
    main(prog_name="sticky-calls")
