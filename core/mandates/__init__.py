"""Who may act for a company: its owner, a filler the owner named, a manager for a department."""
