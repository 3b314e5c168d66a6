# syntax=docker/dockerfile:1

FROM node:24-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
# Without the optional dependency `node`: the image is Node. No package of these needs its install script (better-sqlite3 brings its
# binaries), and npm would start a compiler for one of them that this image does not have.
RUN npm ci --omit=dev --omit=optional --ignore-scripts --no-audit --no-fund

FROM node:24-slim
LABEL org.opencontainers.image.title="LLM Proxy" \
      org.opencontainers.image.description="An OpenAI-compatible, transparent LLM gateway" \
      org.opencontainers.image.licenses="MIT"
ENV NODE_ENV=production HOST=0.0.0.0 PORT=8080 DATA_DIR=/data
WORKDIR /app
COPY --from=dependencies /app/node_modules ./node_modules
COPY package.json LICENSE ./
COPY bin ./bin
COPY scripts/pinned-node.js ./scripts/
COPY migrations ./migrations
COPY src ./src
COPY views ./views
COPY web ./web

# The program's files belong to root: the gateway can write to /data and nowhere else. By number, so that Kubernetes can see that
# it is not root (runAsNonRoot).
RUN install -d -m 0700 -o 1000 -g 1000 /data
USER 1000:1000
VOLUME /data
EXPOSE 8080

HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/health`).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]

# In exec form: node itself gets the signal, finishes what is under way (30 s at the most) and exits.
STOPSIGNAL SIGTERM
CMD ["node", "src/main.ts"]
