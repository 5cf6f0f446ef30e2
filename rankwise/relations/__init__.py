"""Events in text, their order in time and what caused what, as one consistent timeline."""
