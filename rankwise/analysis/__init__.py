"""Numbers and pictures of what an adapter learnt."""
