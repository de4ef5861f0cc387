# The server's image: built and tested on Debian, then only the programs and the libraries they link to.
#
#   docker build -t stillwave .
#   docker run --rm --read-only -p 127.0.0.1:8001:8001 -p 127.0.0.1:8002:8002 stillwave
#
# A release pipeline pins the base by digest: --build-arg BASE=debian:trixie-slim@sha256:…
ARG BASE=debian:trixie-slim

FROM ${BASE} AS build
WORKDIR /src
# The packages change less often than the sources: a layer of their own.
COPY scripts/common.sh scripts/setup scripts/
RUN scripts/setup
COPY . .
RUN cmake --preset release -DSTILLWAVE_BUILD_BENCHMARKS=OFF \
 && cmake --build --preset release
# The final stage copies from this one, so an image exists only if the tests passed.
RUN ctest --preset release --parallel "$(nproc)"
# The programs without symbols, and the names of the packages that hold the libraries they link to.
RUN mkdir -p /out/bin \
 && install --strip -t /out/bin build/release/bin/stillwave-server build/release/bin/stillwave \
    build/release/bin/stillwave-recalibrate \
 && ldd /out/bin/* | awk '$2 == "=>" { print $3 }' | sort -u | xargs realpath \
    | xargs dpkg-query --search | cut -d: -f1 | sort -u > /out/runtime-packages \
 && cat /out/runtime-packages

FROM ${BASE}
RUN --mount=type=bind,from=build,source=/out,target=/out \
    apt-get update \
 && xargs apt-get install -y --no-install-recommends < /out/runtime-packages \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/apt /var/log/dpkg.log \
 && find / -xdev -type f -perm /6000 -exec chmod a-s {} +
COPY --from=build /out/bin/ /usr/local/bin/
USER 65532:65532
EXPOSE 8001 8002
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s CMD ["stillwave", "health", "--server", "127.0.0.1:8001"]
# Arguments of `docker run` are added to these.
ENTRYPOINT ["stillwave-server", "--grpc_address=0.0.0.0:8001", "--http_address=0.0.0.0:8002"]
