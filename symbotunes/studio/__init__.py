"""The studio: a page on this machine that writes music while one watches and listens."""
