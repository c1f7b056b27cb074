/** `vedette source config`: what a sender is configured with, to copy. */
import type { Place, SenderConfig } from "@vedette/api";
import { type ClientConfig, clients, parseAddress, type Target } from "@vedette/ingest";
import { VedetteError } from "@vedette/kit";
import { connect, type ServerOptions } from "../client.ts";
import { configuredSources } from "../config/components.ts";
import { type Loaded, loadConfig } from "../config/load.ts";
import { nearest } from "../config/nearest.ts";

interface Options extends ServerOptions {
  readonly config?: string;
  readonly for?: string;
  readonly address?: string;
  readonly withToken?: boolean;
}

/** What stands for a token until one is made. */
const placeholder = "TOKEN";

/** Sources that listen on ports of their own, each with where its configuration says so. */
const listeners: {
  readonly [type: string]: (config: { readonly [key: string]: unknown }) => { readonly address: unknown; readonly tls: boolean };
} = {
  syslog: (c) => {
    const tls = c["tls"] as { readonly listen?: string } | undefined;
    return tls === undefined ? { address: c["tcp"] ?? c["udp"], tls: false } : { address: tls.listen, tls: true };
  },
  fluent_forward: (c) => ({ address: c["tcp"] ?? "127.0.0.1:24224", tls: c["tls"] !== undefined }),
  netflow: (c) => ({ address: c["udp"] ?? "127.0.0.1:2055", tls: false }),
};

/** The text goes to stdout alone, so that it can be put into its file; what to do with it to stderr. */
export async function sourceConfig(name: string, options: Options): Promise<void> {
  const client = clientOf(options.for);
  const loaded = loadConfig(options.config, process.env);
  const place = client.speaks in listeners ? ownPort(name, client, loaded, "127.0.0.1") : httpPort(loaded, options);
  const address = options.address ?? `${place.host}:${place.port}`;
  const parsed = parseAddress(address);
  if (parsed === undefined)
    throw new VedetteError("config_invalid", true, `--address: expected HOST:PORT, such as 192.0.2.1:8080, found ${address}`);
  const token = options.withToken ? (await connect(options).post("/source-tokens", { body: { source: name } })).token : placeholder;
  const text = client.text(targetOf({ ...parsed, tls: place.tls }, name, token));
  process.stderr.write(`For ${client.summary}; it belongs in ${client.file}.\n`);
  if (text.includes(placeholder))
    process.stderr.write(`Put the token of vedette source token ${name} in place of ${placeholder}, or say --with-token.\n`);
  if (parsed.host.startsWith("127.") && options.address === undefined)
    process.stderr.write("The address is this machine's own; for a sender elsewhere say --address HOST:PORT.\n");
  process.stdout.write(text);
}

/** What each kind of sender is configured with, to reach a source by the configuration that runs; none for a source that reads by itself. */
export function senderConfigs(loaded: Loaded): (source: string, http: Place) => readonly SenderConfig[] {
  return (source, http) => {
    const type = configuredSources(loaded).find(({ name }) => name === source)?.type;
    // what is delivered over HTTP needs no source in the configuration
    const fitting = clients.filter(({ speaks }) => (type === undefined ? !(speaks in listeners) : speaks === type));
    return fitting.map((client) => {
      const place = client.speaks in listeners ? ownPort(source, client, loaded, http.host) : http;
      const { name, summary, file } = client;
      return { name, summary, file, text: client.text(targetOf(place, source, placeholder)) };
    });
  };
}

function targetOf({ host, port, tls }: Place, source: string, token: string): Target {
  const authority = `${host.includes(":") ? `[${host}]` : host}:${port}`;
  return { url: `${tls ? "https" : "http"}://${authority}`, host, port, tls, token, source };
}

function clientOf(name: string | undefined): ClientConfig {
  const found = clients.find((one) => one.name === name);
  if (found !== undefined) return found;
  const names = clients.map((one) => one.name);
  const near = name === undefined ? undefined : nearest(name, names);
  const hint = near === undefined ? clients.map((one) => `  ${one.name}: ${one.summary}`).join("\n") : `did you mean "${near}"?`;
  throw new VedetteError(
    "config_invalid",
    true,
    `--for: ${name === undefined ? "name the client:" : `unknown client "${name}";`}${near === undefined ? "\n" : " "}${hint}`,
  );
}

/** @param everywhere what to call this machine where the source listens on all its addresses */
function ownPort(name: string, { name: client, speaks }: ClientConfig, loaded: Loaded, everywhere: string): Place {
  const source = configuredSources(loaded).find((one) => one.name === name && one.type === speaks);
  if (source === undefined)
    throw new VedetteError(
      "config_invalid",
      true,
      `${client} speaks to a source of type ${speaks}; there is none called "${name}" in ${loaded.file ?? "the configuration"}: add  sources: { ${name}: { ${speaks}: … } }`,
    );
  const { address, tls } = listeners[speaks]!((source.config ?? {}) as { readonly [key: string]: unknown });
  const { host, port } = parseAddress(String(address))!;
  return { host: host === "0.0.0.0" || host === "::" ? everywhere : host, port, tls };
}

function httpPort(loaded: Loaded, options: Options): Place {
  if (options.url === undefined && process.env["VEDETTE_URL"] === undefined && options.dataDir === undefined) {
    const at = parseAddress(loaded.config.listen);
    if (at !== undefined) return { ...at, tls: false };
  }
  const { protocol, hostname, port } = new URL(connect(options).url);
  const tls = protocol === "https:";
  return { host: hostname.replace(/^\[|\]$/g, ""), port: Number(port || (tls ? 443 : 80)), tls };
}
