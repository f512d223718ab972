# The one recipe for every image: docker build --build-arg SERVICE=edge .
# Behind a TLS-inspecting proxy: --secret id=ca,src=<the bundle that trusts it>
ARG BASE_IMAGE=python:3.11-slim

# Manifests alone, so that a change of code leaves the layers of dependencies as they are.
FROM ${BASE_IMAGE} AS manifests
WORKDIR /app
COPY . .
RUN find . -type f ! -name pyproject.toml ! -name uv.lock -delete && find . -type d -empty -delete

FROM ${BASE_IMAGE} AS uv
ENV PIP_CERT=/etc/ssl/certs/ca-certificates.crt SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt \
    PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
COPY tools.txt /
RUN --mount=type=secret,id=ca,target=/etc/ssl/certs/ca-certificates.crt --mount=type=cache,target=/root/.cache \
    python -m venv /uv && /uv/bin/pip install --quiet --requirement /tools.txt

FROM uv AS builder
WORKDIR /app
# Hashes instead of times in bytecode: what did not change gives the same layer again.
ENV UV_COMPILE_BYTECODE=1 PYC_INVALIDATION_MODE=UNCHECKED_HASH UV_LINK_MODE=copy UV_PYTHON=python \
    UV_PYTHON_DOWNLOADS=never UV_NO_PROGRESS=1
ARG SERVICE
RUN case "${SERVICE:?is missing: --build-arg SERVICE=<a folder under services, or compact>}" in \
        compact) member=topologies module="tollway_topologies compact" ;; \
        *) member=$SERVICE module=tollway_$(echo "$SERVICE" | tr - _) ;; \
    esac \
    && echo "tollway-$member" > /package \
    && printf '#!/bin/sh\nexec python -m %s "$@"\n' "$module" > /entrypoint && chmod 755 /entrypoint
COPY --from=manifests /app .
RUN --mount=type=secret,id=ca,target=/etc/ssl/certs/ca-certificates.crt --mount=type=cache,target=/root/.cache \
    /uv/bin/uv sync --package "$(cat /package)" --no-dev --no-editable --frozen --no-install-workspace
COPY . .
# Without the cache mount: uv would take a wheel of earlier code for the same folder from it.
RUN /uv/bin/uv sync --package "$(cat /package)" --no-dev --no-editable --frozen --offline \
    && find .venv/lib -path '*/tollway_*.dist-info/*' \( -name RECORD -o -name uv_cache.json \) -delete # times again

FROM ${BASE_IMAGE} AS runtime
# Official images bring the standard library without bytecode, and a read-only container cannot write its own.
RUN python -m compileall -q -x 'site-packages|dist-packages|test|lib2to3' \
    "$(python -c 'import sysconfig; print(sysconfig.get_path("stdlib"))')"
WORKDIR /app
ENV PATH=/app/.venv/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 USER=tollway HOME=/tmp
COPY config.yaml ./
COPY prompts ./prompts
COPY --from=builder /entrypoint /entrypoint
COPY --from=builder /app/.venv ./.venv
USER 65532:65532
ENTRYPOINT ["/entrypoint"]
