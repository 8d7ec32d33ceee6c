"""`python main.py` is `symbotunes` from a checkout, installed or not."""

from symbotunes.__main__ import run

if __name__ == "__main__":
    run()
