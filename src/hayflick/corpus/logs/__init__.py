"""Exported logs of language models: where their answers, times, models and prompts are."""
