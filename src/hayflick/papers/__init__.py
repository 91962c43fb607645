"""Numbers behind the papers' figures."""
