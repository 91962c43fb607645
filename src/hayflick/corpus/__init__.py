"""Text and tables in, counts of symbols out: readers, encodings and tokenizers."""
