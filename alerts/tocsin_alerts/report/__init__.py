"""What a use case's data say to the five questions, and the week in half an hour."""
