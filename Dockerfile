# syntax=docker/dockerfile:1

# The binary is static, so the second stage needs no C library, shell or package manager.
FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod go mod download
COPY . .
ARG VERSION=unknown
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    make build VERSION="$VERSION" && mkdir -p /empty

FROM gcr.io/distroless/static-debian12:nonroot
ARG VERSION=unknown
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Bakewatch" \
      org.opencontainers.image.description="Watches each deployment while it bakes, and rolls it back when its rollback plan says so" \
      org.opencontainers.image.source="https://github.com/bakewatch/bakewatch" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION"

COPY --from=build /src/bin/bakewatch /usr/bin/bakewatch
# The only place that is written to: the root file system may be read-only. The daemon's
# file says so: [nats] store = "/var/lib/bakewatch/nats".
COPY --from=build --chown=65532:65532 --chmod=0700 /empty /var/lib/bakewatch
VOLUME /var/lib/bakewatch
ENV BAKEWATCH_STORE=/var/lib/bakewatch/nats
USER 65532:65532

# Unready is not unhealthy: a restart would not bring a Prometheus back. The file says
# where the daemon listens, and whether with TLS.
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=3 \
    CMD ["/usr/bin/bakewatch", "health", "--config", "/etc/bakewatch/bakewatch.toml"]
ENTRYPOINT ["/usr/bin/bakewatch"]
CMD ["run", "--config", "/etc/bakewatch/bakewatch.toml"]
