/** nginx access logs. */
import { defineAccessLog } from "../web/access_log.ts";
import { decodeNginxError } from "./nginx_error.ts";

export default defineAccessLog({ name: "nginx_access", module: "nginx", title: "nginx", streams: /nginx/i, decodeError: decodeNginxError });
