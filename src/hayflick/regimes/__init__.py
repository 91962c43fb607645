"""What a generation is trained on."""
