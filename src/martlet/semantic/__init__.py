"""What the star schema means to those who query it."""
