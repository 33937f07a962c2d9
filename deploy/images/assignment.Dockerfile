# assignment alone: docs/images.md.
FROM scratch
COPY assignment /assignment
USER 65532:65532
EXPOSE 9464
ENV ROLLCALL_CONFIG=/etc/rollcall/rollcall.yaml ROLLCALL_SERVE_LISTEN=:9464
HEALTHCHECK --interval=5s --timeout=5s --start-period=60s --retries=3 CMD ["/assignment", "-health"]
ENTRYPOINT ["/assignment"]
ARG VERSION
ENV ROLLCALL_VERSION=$VERSION
