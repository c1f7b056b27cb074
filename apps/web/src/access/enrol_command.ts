/** The command that enrols a machine, to copy. Pure. */
import type { Authority, EnrolmentToken } from "../api/access.ts";

export function enrolCommand({ id, token }: EnrolmentToken, authority: Authority | undefined, origin: string): string {
  const name = id.slice(id.indexOf(":") + 1);
  return `vedette machine enrol --url ${authority?.listening ?? origin} --token ${token} --out ./${name}\n`;
}
