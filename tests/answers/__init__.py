"""Answers that readers gave: right ones and wrong ones, by lesson."""
