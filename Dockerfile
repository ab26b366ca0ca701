# One image for every process: `sre-space web`, `worker`, `scout`, `up`, and the sandbox.
ARG PYTHON_IMAGE=python:3.11-slim

FROM ${PYTHON_IMAGE} AS build
SHELL ["/bin/sh", "-eu", "-c"]
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PYTHONDONTWRITEBYTECODE=1
# The base image decides which Debian it is, and its security updates are wanted: versions are not pinned.
# hadolint ignore=DL3008
RUN apt-get update && apt-get install -y --no-install-recommends binutils git && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY infra/image/extras.sh infra/image/git.sh infra/image/lock.py infra/image/slim.sh infra/image/left_out.txt requirements.lock ./
RUN sh git.sh /collected && python -m venv --without-pip /opt/sre-space
# For an index of your own: --secret id=pip,src=pip.conf, and its certificates: --secret id=certificates,src=ca.pem.
RUN --mount=type=secret,id=pip,target=/etc/pip.conf --mount=type=secret,id=certificates,target=/etc/pip.pem \
    python lock.py requirements.lock left_out.txt > image.lock \
    && python -m pip --python /opt/sre-space/bin/python install --no-compile --no-deps --require-hashes -r image.lock
COPY . .
# Extras of pyproject.toml that the lock file does not hold, for instance --build-arg EXTRAS=embeddings.
ARG EXTRAS=""
RUN --mount=type=secret,id=pip,target=/etc/pip.conf --mount=type=secret,id=certificates,target=/etc/pip.pem \
    python -m pip --python /opt/sre-space/bin/python install --no-compile --no-deps . \
    && if [ -n "$EXTRAS" ]; then sh extras.sh "$EXTRAS"; fi \
    && sh slim.sh /opt/sre-space
RUN package=$(/opt/sre-space/bin/python -I -c "import infra; print(infra.__path__[0])") && ln -s "$package" /opt/sre-space/infra

FROM ${PYTHON_IMAGE}
LABEL org.opencontainers.image.title="SRE-Space" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /collected /
COPY --from=build /opt/sre-space /opt/sre-space
RUN groupadd --gid 10001 sre-space \
    && useradd --uid 10001 --gid 10001 --create-home --home-dir /var/lib/sre-space sre-space \
    && install -d -o sre-space -g sre-space /etc/sre-space
# Bytecode is not in the image (it would be a third of it): each container writes it once, for its restarts.
ENV PATH=/opt/sre-space/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONPYCACHEPREFIX=/tmp/pycache \
    SRE_SPACE_STATE_DIR=/var/lib/sre-space \
    SRE_SPACE_LOG_JSON=true
USER 10001
WORKDIR /var/lib/sre-space
VOLUME /var/lib/sre-space
EXPOSE 8080 4317 4318
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s CMD ["python", "-m", "infra.image.health"]
CMD ["sre-space", "up"]
