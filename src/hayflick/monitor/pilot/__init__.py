"""Small trials: how large they must be, and what came of them."""
