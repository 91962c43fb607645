"""The rule file and what it decides."""
