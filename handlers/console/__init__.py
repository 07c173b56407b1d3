"""The staff pages: (visit) → Page or Redirect; one use case each, no SQL, no web framework."""
