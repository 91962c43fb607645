"""Read texts, tables and answers."""
