/**
 * The part of the Compose specification that docker-compose.yaml uses, strictly: a key that compose does not know, or a value of another form, is a
 * mistake that only a container engine would tell of otherwise. Knows no service of ours.
 */
import { z } from "@vedette/kit";

/** `${NAME}`, `${NAME:-default}`; `$$` is a dollar for the shell inside. Any other `$` is a mistake that compose refuses. */
const text = z
  .string()
  .refine((value) => !/\$/.test(value.replace(/\$\$|\$\{[A-Z_]\w*(?::?[-?+][^}]*)?\}/g, "")), "a $ that compose cannot read");
const filled = (pattern: RegExp) => text.refine((value) => pattern.test(value.replace(/\$\{\w+:-([^}]*)\}/g, "$1")), `expected ${pattern}`);
const duration = z.string().regex(/^(\d+h)?(\d+m)?(\d+(\.\d+)?s)?(\d+ms)?$/);
const size = filled(/^\d+(\.\d+)?[bkmg]b?$/i);
const words = z.union([text, z.array(text).min(1)]);
const condition = z.enum(["service_started", "service_healthy", "service_completed_successfully"]);

const service = z.strictObject({
  image: filled(/^[\w./-]+:[\w.-]+$/),
  build: z.strictObject({ context: z.string(), dockerfile: z.string() }).optional(),
  command: z.union([text, z.array(text)]).optional(),
  entrypoint: words.optional(),
  user: z
    .string()
    .regex(/^\d+:\d+$/)
    .optional(),
  // numbers and booleans are written as texts: YAML has its own mind about them
  environment: z.record(z.string().regex(/^[A-Za-z_][\w.]*$/), text).optional(),
  depends_on: z.record(z.string(), z.strictObject({ condition })).optional(),
  volumes: z.array(z.string().regex(/^(\.\/)?[\w./-]+:\/[\w./-]+(:ro)?$/)).optional(),
  ports: z.array(filled(/^127\.0\.0\.1:\d+:\d+$/)).optional(),
  networks: z.array(z.string()).min(1),
  profiles: z.array(z.string()).optional(),
  healthcheck: z
    .union([
      z.strictObject({ disable: z.literal(true) }),
      z.strictObject({
        test: z.tuple([z.enum(["CMD", "CMD-SHELL"])], text),
        interval: duration,
        timeout: duration,
        retries: z.int().min(1),
        start_period: duration.optional(),
      }),
    ])
    .optional(),
  deploy: z.strictObject({ resources: z.strictObject({ limits: z.strictObject({ cpus: filled(/^\d+(\.\d+)?$/), memory: size }) }) }),
  restart: z.enum(["no", "always", "on-failure", "unless-stopped"]),
  read_only: z.boolean().optional(),
  cap_drop: z.array(z.string().regex(/^[A-Z_]+$/)),
  security_opt: z.array(z.string()),
  tmpfs: z.array(z.string().regex(/^\/[\w/.-]+(:[\w=]+(,[\w=]+)*)?$/)).optional(),
  shm_size: size.optional(),
  stop_grace_period: duration.optional(),
  logging: z.strictObject({ driver: z.string(), options: z.record(z.string(), z.string()) }),
});

/** After anchors are merged. */
export const composeShape = z
  .strictObject({
    name: z.string().regex(/^[a-z0-9][a-z0-9_-]*$/),
    services: z.record(z.string().regex(/^[a-zA-Z0-9._-]+$/), service),
    networks: z.record(z.string(), z.strictObject({ internal: z.boolean().optional() })),
    volumes: z.record(z.string(), z.strictObject({})),
  })
  .catchall(z.never());
