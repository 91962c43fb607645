"""What the laws and simulations mean for an operator's own data."""
