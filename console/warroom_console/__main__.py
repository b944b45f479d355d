"""`python -m warroom_console`: the same as `warroom`."""

from .cli import main

if __name__ == "__main__":
    main()
