# One image for the web processes and the workers; compose.yaml says which is which.
FROM python:3.11-slim-bookworm AS build
WORKDIR /app
COPY requirements.txt .
RUN python -m venv .venv \
    && .venv/bin/pip install --no-cache-dir --no-deps --require-hashes --requirement requirements.txt

FROM python:3.11-slim-bookworm
# Posters are set in it; see docs/operations.md.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends fonts-wqy-microhei \
    && rm -rf /var/lib/apt/lists/*
RUN useradd --create-home --uid 10001 huizhili
WORKDIR /app
COPY --from=build /app/.venv .venv
COPY bot bot
COPY core core
COPY handlers handlers
COPY templates templates
COPY wsgi.py .
# The simulator is for development; production does not even carry it.
RUN rm -r bot/simulator templates/simulator templates/static/simulator bot/demo \
    && mkdir -p instance/files && chown -R huizhili instance
ENV APP_ENV=production PATH=/app/.venv/bin:$PATH PYTHONUNBUFFERED=1
USER huizhili
EXPOSE 8000
CMD ["granian", "--interface", "wsgi", "--host", "0.0.0.0", "--port", "8000", \
     "--workers", "2", "--blocking-threads", "16", "--respawn-failed-workers", "wsgi:app"]
