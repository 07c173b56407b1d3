"""Street shops: their register, who works behind the counter, whether they are open."""
