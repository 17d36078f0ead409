"""What is kept of windows, and how it is read: results, their tables, the packed form that the store holds."""
