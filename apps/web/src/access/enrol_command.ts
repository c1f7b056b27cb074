/** What enrols a machine, to copy. Pure. */
import type { EnrolmentToken } from "../api/access.ts";

/** @param listening where machines are served; the token alone where they are not */
export function enrolCommand({ token }: EnrolmentToken, listening: string | undefined): string {
  if (listening === undefined) return token;
  return `VEDETTE_MACHINE_TOKEN=${token} \\\n  vedette machine enrol --url ${listening} --dir /etc/vedette/machine`;
}
