# An emulated Salesforce org, for tests: the same binary as in the rollcall
# image, and the same layers. docs/images.md.
FROM scratch
COPY rollcall /rollcall
COPY --chown=65532:65532 owned /
USER 65532:65532
EXPOSE 8025
HEALTHCHECK --interval=5s --timeout=5s --start-period=30s --retries=3 CMD ["/rollcall", "health", "http://127.0.0.1:8025/_emulator/"]
ENTRYPOINT ["/rollcall", "emulator", "--listen", ":8025"]
ARG VERSION
ENV ROLLCALL_VERSION=$VERSION
