"""One call: what the decorator and the block record, its values and its handle."""
