"""Cases: somebody at a workplace whom an officer has to look after, with a clock, until closed."""
