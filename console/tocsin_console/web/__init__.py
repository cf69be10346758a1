"""The pages that people look at: each is a document, a template, and its twins in JSON and CSV."""
