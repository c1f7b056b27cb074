/** Lines of other formats that programs send as syslog messages: web servers, proxies, the audit daemon, sensors. */
import type { Decode, DecodeContext, DecodeResult } from "@vedette/kit";
import { loadedFormats } from "../registry.ts";

/** The formats to try for a program's message, in this order. */
const byProgram = new Map<string, readonly string[]>([
  ["nginx", ["nginx_access", "nginx_error"]],
  ["apache", ["apache_access", "apache_error"]],
  ["apache2", ["apache_access", "apache_error"]],
  ["httpd", ["apache_access", "apache_error"]],
  ["haproxy", ["haproxy"]],
  ["auditd", ["auditd"]],
  ["audispd", ["auditd"]],
  ["audisp-syslog", ["auditd"]],
  ["audit", ["auditd"]],
]);

const audit = ["auditd"];

/** Decodes a line by the first of these formats that takes it; undefined where none does. */
export type NamedDecode = (names: readonly string[], line: string, context: DecodeContext) => DecodeResult | undefined;
/** Decodes a program's message by the formats it is known to write; undefined where none takes it. */
export type EmbeddedDecode = (program: string | undefined, message: string, context: DecodeContext) => DecodeResult | undefined;

/** One per decoder. */
export function namedDecoder(): NamedDecode {
  const decoders = new Map<string, Decode>();
  const decoder = (name: string): Decode | undefined => {
    const spec = loadedFormats().get(name);
    if (spec !== undefined && !decoders.has(name)) decoders.set(name, spec.decoder(spec.config.parse({})));
    return decoders.get(name);
  };
  return (names, line, context) => {
    for (const name of names) {
      const result = decoder(name)?.(line, context);
      if (result !== undefined && !("code" in result) && !("skip" in result)) return result;
    }
    return undefined;
  };
}

/** One per decoder. */
export function embeddedDecoder(): EmbeddedDecode {
  const decode = namedDecoder();
  return (program, message, context) => {
    // Sources put nothing but the records of one audit event together.
    const names = message.includes("\n") ? audit : program === undefined ? undefined : byProgram.get(program);
    return names === undefined ? undefined : decode(names, message, context);
  };
}
