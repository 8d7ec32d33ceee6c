"""The entry point: `python main.py` in a checkout, `symbotunes` once installed.

Ctrl-C is answered in one line from the first moment on, so all imports but that come after.
"""

from symbotunes.system.ends import foreseen_ends


def run() -> None:
    """Run the program; it ends with the status of its `SystemExit`, if it raises one."""
    with foreseen_ends():
        from symbotunes.cli import program  # takes as long as most of what it then does

        program.run()


if __name__ == "__main__":
    run()
