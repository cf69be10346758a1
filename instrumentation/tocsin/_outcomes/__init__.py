"""What turned out to be true, on its way."""
