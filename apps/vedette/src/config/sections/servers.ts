/** Keys of servers that installations of several processes stand on; each section is read only where its driver is selected. */
import { kafkaSasl, kafkaTls } from "@vedette/kafka";
import { eventClasses } from "@vedette/model";
import { z } from "zod";

export const kafka = z
  .strictObject({
    server: z
      .string()
      .optional()
      .describe("Brokers to ask first, each HOST:PORT, with commas between; used when log.driver is kafka. Environment: KAFKA_SERVER."),
    topic: z
      .string()
      .regex(/^[\w.-]{1,200}$/, "expected at most 200 letters, digits, dots, dashes and underscores")
      .default("vedette")
      .describe("Prefix of topic names. Environment: KAFKA_TOPIC."),
    partitions: z.int().min(1).max(1_024).default(1).describe("Partitions of raw: as many processes can analyse at the same time."),
    replicas: z
      .int()
      .min(1)
      .max(32)
      .optional()
      .describe("Copies of each partition where topics are made; three without it, or as many as there are brokers."),
    timeout_s: z
      .int()
      .min(1)
      .max(300)
      .default(10)
      .describe("How long what is sent in waits for brokers before it is refused, in seconds; the sender then sends it again."),
    tls: kafkaTls,
    sasl: kafkaSasl,
  })
  .prefault({})
  .describe("Kafka; read only by its driver.");

export const redis = z
  .strictObject({
    host: z
      .string()
      .min(1)
      .optional()
      .describe("Host of Redis 7; with it, several processes of one installation share rates, leases and news. Environment: REDIS_HOST."),
    port: z.int().min(1).max(65_535).default(6379).describe("Environment: REDIS_PORT."),
    username: z.string().min(1).optional().describe("User of an access control list; the default user without it."),
    password: z.string().min(1).optional().describe("Best by the environment: REDIS_PASSWORD."),
    db: z.int().min(0).default(0).describe("Number of the database."),
    prefix: z
      .string()
      .regex(/^[\w.:-]{1,50}$/, "expected at most 50 letters, digits and . _ : -")
      .default("vedette")
      .describe("What all keys and channels begin with; another for each installation on one server."),
    tls: z
      .strictObject({
        ca: z.string().min(1).optional().describe("PEM file of certificate authorities to trust instead of the system's."),
        certificate: z.string().min(1).optional().describe("PEM file of this program's own certificate, where the server asks for one."),
        key: z.string().min(1).optional().describe("PEM file of its private key."),
      })
      .optional()
      .describe("TLS to Redis; without it connections are plain."),
  })
  .prefault({})
  .describe("Redis: what processes of one installation tell one another. Without a host each process is alone.");

export const postgres = z
  .strictObject({
    host: z.string().optional().describe("Environment: POSTGRES_HOST."),
    port: z.int().default(5432).describe("Environment: POSTGRES_PORT."),
    db: z.string().default("vedette").describe("Environment: POSTGRES_DB."),
    user: z.string().default("vedette").describe("Environment: POSTGRES_USER."),
    password: z.string().optional().describe("Environment: POSTGRES_PASSWORD."),
    schema: z
      .string()
      .regex(/^[a-z_][a-z0-9_]{0,62}$/, "expected a lower case name")
      .default("vedette")
      .describe("Schema of its tables, made when it is not there."),
    connections: z.int().min(2).max(200).default(8).describe("Connections of one process."),
    connect_timeout_s: z.number().positive().max(300).default(5).describe("How long a connection may take to be made, in seconds."),
    statement_timeout_s: z.number().positive().max(3_600).default(30).describe("How long one statement may take, in seconds."),
    tls: z
      .strictObject({
        ca: z
          .string()
          .min(1)
          .optional()
          .describe("File of the authorities that the server's certificate is checked by, PEM; the system's by default."),
        certificate: z.string().min(1).optional().describe("File of this program's own certificate, PEM, where the server asks for one."),
        key: z.string().min(1).optional().describe("File of its private key, PEM."),
      })
      .optional()
      .describe(
        "TLS to the server, whose certificate and name are checked; without it nothing is encrypted. {} takes the system's authorities.",
      ),
  })
  .prefault({})
  .describe("PostgreSQL; read only where state.driver is postgres.");

export const opensearch = z
  .strictObject({
    url: z
      .union([z.url({ protocol: /^https?$/ }), z.array(z.url({ protocol: /^https?$/ })).min(1)])
      .optional()
      .describe("A node of the cluster, or a list of several, such as https://search1:9200."),
    username: z.string().min(1).optional().describe("User; what it must be allowed to do is in docs/guide/events-on-opensearch.md."),
    password: z.string().optional().describe("Best by the environment: VEDETTE__OPENSEARCH__PASSWORD."),
    ca_file: z.string().min(1).optional().describe("PEM file of certificate authorities to trust instead of the system's."),
    cert_file: z.string().min(1).optional().describe("PEM file of this program's own certificate, where the cluster asks for one."),
    key_file: z.string().min(1).optional().describe("PEM file of its private key."),
    prefix: z
      .string()
      .regex(/^[a-z0-9][a-z0-9_.-]{0,80}$/, "expected a lower case name")
      .default("vedette")
      .describe("What the names of its indices begin with; nothing else in the cluster may begin so."),
    shards: z.int().min(1).max(128).default(1).describe("Primary shards of an index; some 30 GB each are comfortable."),
    replicas: z.int().min(0).max(8).default(1).describe("Copies of each shard on other nodes."),
    bucket_hours: z
      .partialRecord(z.enum(eventClasses), z.int().min(1).max(8_784))
      .default({})
      .describe("CLASS: time that one index of a class spans, in hours; by default 24, 168 or 720, the longer a class is kept the more."),
    timeout_s: z.number().positive().max(600).default(30).describe("How long one request may take, in seconds."),
  })
  .prefault({})
  .describe("OpenSearch; read only where events.driver is opensearch.");

export const prometheus = z
  .strictObject({ port: z.int().default(9090).describe("Port of the compose file's Prometheus. Environment: PROMETHEUS_PORT.") })
  .prefault({})
  .describe("Prometheus.");

export const openai = z
  .strictObject({ api_key: z.string().optional().describe("Environment: OPENAI_API_KEY.") })
  .prefault({})
  .describe("Language model; read only by the analyser that uses one.");
