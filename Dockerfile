# Two images: `serve` answers (no torch), `index` builds an index. Python packages at their pinned versions.
FROM python:3.12-slim AS base
ENV PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 HF_HUB_OFFLINE=1
RUN useradd --uid 10001 --create-home --home-dir /var/lib/icsearch icsearch
WORKDIR /src
COPY pyproject.toml constraints.txt requirements-torch.txt README.md LICENSE ./
COPY corpus corpus
COPY indexer indexer
COPY search_api search_api
COPY web web
COPY eval eval
# The documents are not part of the package: originals and page images are read from here.
COPY --chown=icsearch corpus /srv/corpus
ENV ICSEARCH_CORPUS=/srv/corpus ICSEARCH_MODELS=/var/lib/icsearch/models

FROM base AS index
RUN apt-get update && apt-get install -y --no-install-recommends tesseract-ocr \
    && rm -rf /var/lib/apt/lists/*
RUN pip install -r requirements-torch.txt && pip install -c constraints.txt '.[index,postgres,cluster]'
USER icsearch
WORKDIR /var/lib/icsearch
ENTRYPOINT ["icsearch", "index"]

FROM base AS serve
RUN pip install -c constraints.txt '.[postgres,oidc]'
USER icsearch
WORKDIR /var/lib/icsearch
ENV ICSEARCH_LOG=json
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s CMD \
    ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/ready', timeout=2)"]
CMD ["icsearch", "serve", "--host", "0.0.0.0", "--port", "8000"]
