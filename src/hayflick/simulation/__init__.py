"""The one loop over generations, for every family and every regime."""
