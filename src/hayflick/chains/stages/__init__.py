"""What happens to draws between the model that makes them and the one that is fitted to them."""
