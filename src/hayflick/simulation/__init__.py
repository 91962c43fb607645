"""The one loop over generations."""
