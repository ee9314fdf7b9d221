"""Services: their addresses and ports, given out once, and the rules of their fields."""
