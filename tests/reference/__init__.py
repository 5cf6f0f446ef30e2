"""Literal twins of the papers' equations and of released code, to compare with; nothing here is used by rankwise."""
