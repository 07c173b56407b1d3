"""The wire: the only floor that knows WeChat, Redis, the Flask app object, tokens and secrets."""
