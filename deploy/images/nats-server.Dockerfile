# NATS, of the module pinned in tools/nats-server. Its configuration has to
# serve monitoring at port 8222, which the health check asks. docs/images.md.
FROM scratch
COPY nats-server healthcheck /
COPY --chown=65532:65532 owned /
USER 65532:65532
EXPOSE 4222 6222 8222
# "js-enabled-only" asks for JetStream, not for every stream of a cluster to be
# in step: a node that catches up is at work.
HEALTHCHECK --interval=5s --timeout=5s --start-period=60s --retries=3 CMD ["/healthcheck", "http://127.0.0.1:8222/healthz?js-enabled-only=true"]
ENTRYPOINT ["/nats-server"]
CMD ["--jetstream", "--store_dir", "/data", "--http_port", "8222"]
