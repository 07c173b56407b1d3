"""The applications that are compared; each module has a WSGI application named `app`."""
