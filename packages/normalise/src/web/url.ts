/** Splits what a client requested into ECS url fields; whatever it sent stays in `url.original` as told. */
import type { Fields } from "@vedette/model";
import { decodedUrl } from "./decoded.ts";

/** Sets `url.path`, `url.query`, and for an absolute URL `url.scheme`, `url.domain`, `url.port`; `url.decoded` where something is coded. Linear. */
export function setUrl(fields: Fields, original: string): void {
  fields["url.original"] = original;
  const decoded = decodedUrl(original);
  if (decoded !== undefined) fields["url.decoded"] = decoded;
  let start = 0;
  if (original.charCodeAt(0) !== 0x2f) {
    const slashes = original.indexOf("://");
    if (slashes <= 0 || slashes > 16) return;
    start = original.indexOf("/", slashes + 3);
    const authority = original.slice(slashes + 3, start < 0 ? undefined : start);
    fields["url.scheme"] = original.slice(0, slashes);
    setAuthority(fields, authority);
    if (start < 0) return;
  }
  const fragment = original.indexOf("#", start);
  const end = fragment < 0 ? original.length : fragment;
  const mark = original.indexOf("?", start);
  if (mark >= 0 && mark < end) {
    fields["url.path"] = original.slice(start, mark);
    fields["url.query"] = original.slice(mark + 1, end);
  } else fields["url.path"] = start === 0 && end === original.length ? original : original.slice(start, end);
}

/** Sets `url.domain` and `url.port` from `host`, `host:port`, `[v6]:port`, with or without user information. */
export function setAuthority(fields: Fields, authority: string): void {
  const host = authority.slice(authority.lastIndexOf("@") + 1);
  const closing = host.indexOf("]");
  const colon = host.indexOf(":", closing < 0 ? 0 : closing);
  const bare = colon < 0 || (closing < 0 && host.indexOf(":", colon + 1) >= 0) ? host : host.slice(0, colon);
  fields["url.domain"] = closing > 0 && bare.charCodeAt(0) === 0x5b ? bare.slice(1, closing) : bare;
  const port = bare === host ? Number.NaN : Number(host.slice(colon + 1));
  if (port >= 1 && port <= 65_535) fields["url.port"] = port;
}
