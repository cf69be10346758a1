"""The five questions and the week, read from the store."""
