"""Version 1 of the wire messages: generated from the `.proto` files beside this one by `make proto`."""
