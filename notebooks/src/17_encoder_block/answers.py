"""Other answers to the exercises of lesson 17, right and wrong."""

RIGHT = {}
WRONG = {}
