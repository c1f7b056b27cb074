/** OpenTelemetry's attributes in ECS, by the semantic conventions, old names included. Knows no signal. */
import type { JsonObject, JsonValue } from "@vedette/kit";
import type { Fields, Scalar } from "@vedette/model";
import { putField } from "../ecs/mapping.ts";

/** Names that ECS has another name for. Everything else is kept under its own name where ECS shares its first part, else below `otel.`. */
const renamed = new Map<string, string>([
  ["http.method", "http.request.method"],
  ["http.status_code", "http.response.status_code"],
  ["http.user_agent", "user_agent.original"],
  ["http.url", "url.full"],
  ["http.scheme", "url.scheme"],
  ["http.host", "url.domain"],
  ["http.flavor", "http.version"],
  ["http.request.body.size", "http.request.body.bytes"],
  ["http.response.body.size", "http.response.body.bytes"],
  ["http.client_ip", "source.ip"],
  ["client.address", "source.ip"],
  ["client.port", "source.port"],
  ["server.address", "destination.domain"],
  ["server.port", "destination.port"],
  ["net.peer.ip", "network.peer.address"],
  ["net.peer.name", "destination.domain"],
  ["net.peer.port", "destination.port"],
  ["enduser.id", "user.name"],
  ["user.name", "user.name"],
  ["exception.type", "error.type"],
  ["exception.message", "error.message"],
  ["exception.stacktrace", "error.stack_trace"],
  ["k8s.namespace.name", "orchestrator.namespace"],
  ["k8s.cluster.name", "orchestrator.cluster.name"],
  ["k8s.pod.name", "kubernetes.pod.name"],
  ["k8s.pod.uid", "kubernetes.pod.uid"],
  ["k8s.node.name", "kubernetes.node.name"],
  ["k8s.container.name", "container.name"],
  ["k8s.deployment.name", "kubernetes.deployment.name"],
  ["service.instance.id", "service.node.name"],
  ["deployment.environment", "service.environment"],
  ["deployment.environment.name", "service.environment"],
  ["process.command_args", "process.args"],
  ["process.executable.path", "process.executable"],
  ["process.executable.name", "process.name"],
  ["process.owner", "process.user.name"],
  ["container.image.tags", "container.image.tag"],
  ["os.type", "host.os.type"],
  ["os.name", "host.os.name"],
  ["os.version", "host.os.version"],
  ["log.iostream", "log.stream"],
]);

/** First parts that ECS and the semantic conventions share in meaning. */
const shared = new Set(
  "http url user_agent user network source destination process host container service cloud tls file device error dns log".split(" "),
);

/** An OTLP AnyValue as a scalar or a list of them; deeper values as JSON text. */
export function scalarOf(value: JsonValue | undefined, depth = 0): Scalar | readonly Scalar[] | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  const told = value as JsonObject;
  const text = told["stringValue"];
  if (typeof text === "string") return text;
  const truth = told["boolValue"];
  if (typeof truth === "boolean") return truth;
  // 64-bit integers are texts in protobuf's JSON.
  for (const number of [told["intValue"], told["doubleValue"]]) {
    const exact = typeof number === "string" ? Number(number) : number;
    if (typeof exact === "number")
      return Number.isFinite(exact) && (!Number.isInteger(exact) || Number.isSafeInteger(exact)) ? exact : String(number);
  }
  if (typeof told["bytesValue"] === "string") return told["bytesValue"];
  const array = told["arrayValue"];
  const values = typeof array === "object" && array !== null ? (array as JsonObject)["values"] : undefined;
  if (Array.isArray(values) && depth === 0) {
    return (values as readonly JsonValue[]).slice(0, 256).flatMap((one): Scalar[] => {
      const inner = scalarOf(one, 1);
      return inner === undefined ? [] : typeof inner === "object" ? [JSON.stringify(inner)] : [inner];
    });
  }
  return told["kvlistValue"] === undefined && values === undefined ? undefined : JSON.stringify(told["kvlistValue"] ?? values);
}

/** As many as the SDKs keep of one record (OTEL_ATTRIBUTE_COUNT_LIMIT). */
const maxAttributes = 128;
const maxName = 256;

/** Sets every `{key, value}` of a list; `from` names the list, for what ECS does not know. */
export function setAttributes(fields: Fields, list: JsonValue | undefined, from: "attributes" | "resource"): void {
  if (!Array.isArray(list)) return;
  for (const one of (list as readonly JsonValue[]).slice(0, maxAttributes)) {
    if (typeof one !== "object" || one === null || Array.isArray(one)) continue;
    const key = (one as JsonObject)["key"];
    const value = scalarOf((one as JsonObject)["value"]);
    if (typeof key !== "string" || key === "" || value === undefined || value === "") continue;
    set(fields, key.slice(0, maxName), value, from);
  }
}

function set(fields: Fields, key: string, value: Scalar | readonly Scalar[], from: string): void {
  const name = renamed.get(key);
  if (name !== undefined) {
    putField(fields, name, value);
    return;
  }
  const dot = key.indexOf(".");
  if (dot > 0 && shared.has(key.slice(0, dot))) fields[key] = value;
  else fields[`otel.${from}.${key}`] = value;
}
