"""What `tocsin.testing` is made of: captured calls and what may be asserted of them, and where their spans go."""
