"""Prepared words, as the tests of data have them."""

from tests.data.conftest import corpus_of, encoded_of

__all__ = ["corpus_of", "encoded_of"]
