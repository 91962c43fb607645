"""What every room uses: errors, seeds, provenance, records and the protocols at the seams."""
