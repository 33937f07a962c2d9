# retry-scheduler alone: docs/images.md.
FROM scratch
COPY retry-scheduler /retry-scheduler
USER 65532:65532
EXPOSE 9464
ENV ROLLCALL_CONFIG=/etc/rollcall/rollcall.yaml ROLLCALL_SERVE_LISTEN=:9464
HEALTHCHECK --interval=5s --timeout=5s --start-period=60s --retries=3 CMD ["/retry-scheduler", "-health"]
ENTRYPOINT ["/retry-scheduler"]
ARG VERSION
ENV ROLLCALL_VERSION=$VERSION
