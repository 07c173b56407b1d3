"""An owner's decisions: each over a frozen list, undone within half an hour, then told."""
