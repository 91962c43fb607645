"""Published bounds, one paper per file: drawn beside a law, and no substitute for it."""
