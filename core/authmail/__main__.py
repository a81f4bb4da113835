"""``python -m authmail`` is the command ``authmail``."""

from authmail.cli import main

if __name__ == "__main__":
    main(prog_name="authmail")
