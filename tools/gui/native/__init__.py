"""What interfaces share that are no web pages: one driver over a port that a platform brings."""
