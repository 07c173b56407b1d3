"""What people decide about colours: overrides by hand, and appeals against an indicator."""
