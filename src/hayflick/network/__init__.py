"""Several language models over one shared store: pool, retrieval, topology, agents, rounds."""
