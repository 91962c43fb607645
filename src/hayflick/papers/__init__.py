"""What needs several rooms at once: the papers' figures."""
