"""The figures of *Rate of Model Collapse in Recursive Training* (arXiv:2412.17646)."""
