"""Staff: accounts of the console, their roles, their area of duty, how they sign in."""
