"""What is out of the ordinary: thresholds learned within the user's budget, and findings beyond them."""
