"""People: a WeChat follower, the community they bind to, what they consented to."""
