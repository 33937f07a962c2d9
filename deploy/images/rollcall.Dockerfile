# The rollcall binary: the operator's commands, and everything in one process
# (`up`), whose streams and keys belong in /data. docs/images.md.
FROM scratch
COPY rollcall /rollcall
COPY --chown=65532:65532 owned /
USER 65532:65532
EXPOSE 9464
ENV ROLLCALL_SERVE_LISTEN=:9464
HEALTHCHECK --interval=5s --timeout=5s --start-period=60s --retries=3 CMD ["/rollcall", "health"]
ENTRYPOINT ["/rollcall"]
ARG VERSION
ENV ROLLCALL_VERSION=$VERSION
