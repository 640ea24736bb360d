"""Lets `python -m martlet` be the command line."""

from martlet.cli import main

if __name__ == "__main__":
    main()
