"""The application for a WSGI server: `granian --interface wsgi wsgi:app`."""

from bot.app import create_app
from bot.settings import Settings

app = create_app(Settings.from_env())
