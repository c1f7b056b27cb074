/** Lines of other formats that programs send as syslog messages: web servers and the audit daemon. */
import type { Decode, DecodeContext, DecodeResult } from "@vedette/kit";
import { loadedFormats } from "../registry.ts";

/** The formats to try for a program's message, in this order. */
const byProgram = new Map<string, readonly string[]>([
  ["nginx", ["nginx_access", "nginx_error"]],
  ["apache", ["apache_access", "apache_error"]],
  ["apache2", ["apache_access", "apache_error"]],
  ["httpd", ["apache_access", "apache_error"]],
  ["auditd", ["auditd"]],
  ["audispd", ["auditd"]],
  ["audisp-syslog", ["auditd"]],
  ["audit", ["auditd"]],
]);

/** One per decoder: decodes a program's message by the first of its formats that takes it; undefined where none does. */
export function embeddedDecoder(): (program: string | undefined, message: string, context: DecodeContext) => DecodeResult | undefined {
  const decoders = new Map<string, Decode>();
  const decoder = (name: string): Decode | undefined => {
    const spec = loadedFormats().get(name);
    if (spec !== undefined && !decoders.has(name)) decoders.set(name, spec.decoder(spec.config.parse({})));
    return decoders.get(name);
  };
  return (program, message, context) => {
    const names = program === undefined ? undefined : byProgram.get(program);
    if (names === undefined) return undefined;
    for (const name of names) {
      const result = decoder(name)?.(message, context);
      if (result !== undefined && !("code" in result) && !("skip" in result)) return result;
    }
    return undefined;
  };
}
