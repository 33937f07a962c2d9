# Jaeger, of the module pinned in tools/jaeger: traces in memory, a bounded
# number. docs/images.md.
FROM scratch
COPY jaeger healthcheck /
USER 65532:65532
EXPOSE 4317 4318 14269 16686
ENV COLLECTOR_OTLP_ENABLED=true MEMORY_MAX_TRACES=50000
HEALTHCHECK --interval=5s --timeout=5s --start-period=60s --retries=3 CMD ["/healthcheck", "http://127.0.0.1:14269/"]
ENTRYPOINT ["/jaeger"]
