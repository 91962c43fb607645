"""From a table of answers to verdicts: read, embed, measure, chart."""
