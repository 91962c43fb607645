"""The figures of *LLM Web Dynamics* (arXiv:2506.15690), those of language models on request."""
