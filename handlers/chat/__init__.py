"""What people say to the account: one ordered table of routes, one module per subject."""
