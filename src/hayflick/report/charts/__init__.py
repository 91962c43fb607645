"""The charts of reports as SVG, one per file, made without a browser or a network."""
