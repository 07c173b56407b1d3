"""A rush at one code: a thousand people scan it and register, on two web processes."""
