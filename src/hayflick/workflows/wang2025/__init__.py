"""The figures of *LLM Web Dynamics* (arXiv:2506.15690) that need no language model."""
