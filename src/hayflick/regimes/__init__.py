"""What a generation is trained on, one regime per file."""
