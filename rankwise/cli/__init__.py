"""The command line, rankwise ...: one file for each group of commands. Parses, calls a public function, prints."""
