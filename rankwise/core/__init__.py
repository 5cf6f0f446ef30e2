"""The nouns: Site, Factors, Adapter, Head, Method, Host. Needs torch and nothing else."""
