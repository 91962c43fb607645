"""The rules file: what is watched, where the limit lies and what happens then."""
