"""Human checks of random answers: drawn, handed out, read back, and what they prove."""
