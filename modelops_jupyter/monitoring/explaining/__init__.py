"""What is behind it: the segments that a fall in performance sits in, and how rows of now are told from before."""
