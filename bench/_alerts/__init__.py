"""What alerts survive and how long they take, and hostile texts, templates and addresses: a module per question."""
