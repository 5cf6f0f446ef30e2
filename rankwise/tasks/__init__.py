"""Families of tasks, one file each: a user's own table now."""
