"""What is wrong: alerts that persist, incidents of one cause, and their suspects."""
