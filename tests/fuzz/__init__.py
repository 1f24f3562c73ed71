"""Fuzzing: what is tried (`targets`), how (`run`, needs atheris), and what was found (`corpus`)."""
