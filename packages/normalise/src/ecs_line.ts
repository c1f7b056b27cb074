/** Decodes the raw line a shipper put into a document, by what the document says it is. Knows formats only by name. */
import type { Decode, DecodeContext, DecodeResult, JsonObject } from "@vedette/kit";
import { claimantOf } from "./json/claimant.ts";
import { isFlaw, looksLikeObject, parseObject } from "./json/parse.ts";
import { loadedFormats } from "./registry.ts";

/** What a document tells about its line. */
export interface LineHints {
  /** `event.dataset`, or module and fileset joined by a dot. */
  readonly dataset: string | undefined;
  /** File the shipper read. */
  readonly path: string | undefined;
  /** Name of the container that wrote it. */
  readonly container: string | undefined;
}

const syslog = ["syslog"];
const nginx = ["nginx_access", "nginx_error"];
const apache = ["apache_access", "apache_error"];
const audit = ["auditd"];
const datasets = new Map<string, readonly string[]>([
  ...["system.auth", "system.syslog", "linux.auth", "linux.syslog", "iptables.log", "syslog", "syslog.log", "auth"].map(
    (name) => [name, syslog] as const,
  ),
  ...["nginx.access", "nginx.error", "nginx.ingress_controller", "nginx"].map((name) => [name, nginx] as const),
  ...["apache.access", "apache.error", "apache2.access", "apache2.error", "apache"].map((name) => [name, apache] as const),
  ...["auditd.log", "auditd"].map((name) => [name, audit] as const),
  ...["haproxy.log", "haproxy"].map((name) => [name, ["haproxy"]] as const),
  ...["postgresql.log", "postgresql"].map((name) => [name, ["postgresql"]] as const),
  ...["cisco_asa.log", "cisco.asa", "cisco_ftd.log", "cisco.ftd"].map((name) => [name, ["cisco_asa"]] as const),
  ...["cef.log", "cef"].map((name) => [name, ["cef"]] as const),
  ...["aws.vpcflow", "aws.vpcflow_logs"].map((name) => [name, ["aws_vpc_flow"]] as const),
  ["slurm.log", ["slurm_log"]],
]);
/** The files rsyslog and syslog-ng write in Debian's, Red Hat's and SUSE's default configurations. */
const syslogFile =
  /^(?:auth\.log|secure|syslog|messages|warn|cron|cron\.log|kern\.log|user\.log|daemon\.log|mail\.log|maillog|boot\.log|sudo\.log|sshd\.log)(?:[.-]|$)/;
/** A line that tells by itself: RFC 3164's stamp, an access log's bracketed date, an audit record. */
const stamped = /^(?:<\d{1,3}>)?[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \S/;
const combined = /^[^\s[]{1,255} [^\s[]{1,255} [^[]{1,255}\[\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d /;

function namesFor(line: string, hints: LineHints): readonly string[] {
  const byDataset = hints.dataset === undefined ? undefined : datasets.get(hints.dataset.toLowerCase());
  if (byDataset !== undefined) return byDataset;
  const byPath = hints.path === undefined ? undefined : namesForPath(hints.path.slice(-1024).toLowerCase());
  if (byPath !== undefined) return byPath;
  if (hints.container?.includes("nginx")) return nginx;
  if (hints.container?.includes("httpd") || hints.container?.includes("apache")) return apache;
  if (stamped.test(line)) return syslog;
  if (line.startsWith("type=") && line.includes("msg=audit(")) return audit;
  return combined.test(line) ? nginx : [];
}

function namesForPath(path: string): readonly string[] | undefined {
  const file = path.slice(path.lastIndexOf("/") + 1);
  if (syslogFile.test(file)) return syslog;
  if (file.startsWith("audit.log")) return audit;
  if (path.includes("postgres")) return ["postgresql"];
  if (file.startsWith("slurm")) return ["slurm_log"];
  if (path.includes("nginx")) return nginx;
  if (path.includes("apache") || path.includes("httpd")) return apache;
  return file.includes("access") ? [...nginx, ...apache] : undefined;
}

/** One per decoder: what the line means, or undefined where nobody knows it. */
export type LineDecode = (line: string, hints: LineHints, context: DecodeContext) => DecodeResult | undefined;

/** @param settings configuration of the formats it may use, by name; the others get their defaults. */
export function lineDecoder(settings: { readonly [format: string]: unknown }): LineDecode {
  const decoders = new Map<string, Decode>();
  const decoderOf = (name: string): Decode | undefined => {
    const spec = loadedFormats().get(name);
    if (spec !== undefined && !decoders.has(name)) decoders.set(name, spec.decoder(spec.config.parse(settings[name] ?? {})));
    return decoders.get(name);
  };
  return (line, hints, context) => {
    if (looksLikeObject(line)) return decodeText(line, context);
    for (const name of namesFor(line, hints)) {
      const result = decoderOf(name)?.(line, context);
      if (result !== undefined && !("code" in result) && !("skip" in result)) return result;
    }
    return undefined;
  };
}

/** A document that some format claims; undefined for one that nobody claims. Documents within documents end soon: each level doubles the escapes. */
function decodeText(text: string, context: DecodeContext): DecodeResult | undefined {
  const object = parseObject(text);
  return isFlaw(object) ? undefined : decodeDocument(object, text, context);
}

/** As a line that is a document, for one that is parsed already. */
export function decodeDocument(object: JsonObject, text: string, context: DecodeContext): DecodeResult | undefined {
  const result = claimantOf(object, context)?.decode(object, text, context);
  return result === undefined || "code" in result || "skip" in result ? undefined : result;
}
