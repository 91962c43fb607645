"""Watch, review, pilot, try rules."""
