"""Writers of docs/reference: each gives a page from what the product itself says."""
