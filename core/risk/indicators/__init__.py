"""From people to indicators: one definition for every engine, and the step that stores it."""
