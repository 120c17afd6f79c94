"""`python -m gdgrade`: the same as the `gdgrade` command."""

from gdgrade.cli import main

if __name__ == "__main__":
    main()
