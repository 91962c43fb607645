"""The language models of a network: built in, behind an endpoint, or replayed."""
