"""What a release is held to: the same bytes wherever it is built, a quick start on nothing else, an upgrade that loses nothing."""
