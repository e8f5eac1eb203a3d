# Two stages: the first builds an environment from the lock file, the second has nothing but Python and that environment.
# Runs as a user without rights, on a read-only root file system:
#
#   docker run --read-only --tmpfs /tmp -v CONFIG:/etc/intermediary:ro -v DATA:/var/lib/intermediary IMAGE
#
# Everything the daemon writes lies under `installation.data` and the folders that the configuration names.

FROM debian:bookworm-slim AS build
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates python3 python3-venv \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY .ci/uv .ci/uv
COPY pyproject.toml uv.lock README.md LICENSE ./
COPY intermediary intermediary
COPY mappings mappings
COPY connectors connectors
COPY schemas schemas
COPY config config
RUN UV_PROJECT_ENVIRONMENT=/opt/intermediary .ci/uv sync --frozen --no-dev --all-extras --no-editable --compile-bytecode --quiet

FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates python3 \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --gid 10001 intermediary \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin intermediary \
    && install --directory --owner=10001 --group=10001 --mode=0700 /var/lib/intermediary
COPY --from=build /opt/intermediary /opt/intermediary
ENV PATH=/opt/intermediary/bin:/usr/local/bin:/usr/bin:/bin
ENV PYTHONDONTWRITEBYTECODE=1
ENV INTERMEDIARY_CONFIG=/etc/intermediary/intermediary.toml
USER 10001:10001
WORKDIR /var/lib/intermediary
VOLUME ["/var/lib/intermediary"]
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=10s --start-period=30s --retries=3 CMD ["intermediary", "doctor", "--quick"]
ENTRYPOINT ["intermediary"]
CMD ["run"]
