"""Charts: one way per file of telling a change from chance."""
