"""Why does it say so? DoWhy made safe, and checked against real edits of the text."""
