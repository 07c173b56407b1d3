"""Bare Flask: the least that any Flask application costs."""

from flask import Flask

app = Flask(__name__)


@app.get("/")
def hello() -> str:
    return "hello"
