# syntax=docker/dockerfile:1
# The deploy program of examples/shop in a small image: `docker build -t shop-migrate .`
# For your own app: its package in PACKAGE, its manifest's directory in DIRECTORY.

FROM rust:1-slim-bookworm AS build
ARG PACKAGE=shop
# For PostgreSQL: FEATURES=migrate-diesel/postgres BUILD_PACKAGES=libpq-dev RUNTIME_PACKAGES=libpq5
# For MySQL and MariaDB: FEATURES=migrate-diesel/mysql BUILD_PACKAGES=libmariadb-dev RUNTIME_PACKAGES=libmariadb3
ARG FEATURES=""
ARG BUILD_PACKAGES=""
RUN if [ -n "$BUILD_PACKAGES" ]; then \
        apt-get update \
        && apt-get install --yes --no-install-recommends $BUILD_PACKAGES \
        && rm -rf /var/lib/apt/lists/*; \
    fi
WORKDIR /source
COPY . .
# The caches are not part of a layer, and so the program is copied out of them.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/source/target \
    cargo build --locked --release --package "$PACKAGE" --bin migrate --features "$FEATURES" \
        --config 'profile.release.strip="symbols"' \
    && install -D target/release/migrate /out/migrate

FROM debian:bookworm-slim
ARG DIRECTORY=examples/shop
ARG RUNTIME_PACKAGES=""
# Certificates: for databases that are reached through TLS.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates $RUNTIME_PACKAGES \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --create-home --home-dir /data migrate
COPY --from=build /out/migrate /usr/local/bin/migrate
# What it reads at run time. The SQL of views is in the program.
WORKDIR /app
COPY ${DIRECTORY}/migrate.toml ./
USER 10001
# Where a SQLite database lives, unless DATABASE_URL says something else.
VOLUME /data
ENV DATABASE_URL=sqlite:///data/app.db
ENTRYPOINT ["migrate"]
# Without a command: `up`.
