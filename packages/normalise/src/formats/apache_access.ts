/** Apache httpd access logs. */
import { defineAccessLog } from "../web/access_log.ts";
import { decodeApacheError } from "./apache_error.ts";

export default defineAccessLog({
  name: "apache_access",
  module: "apache",
  title: "Apache httpd",
  streams: /apache|httpd/i,
  decodeError: decodeApacheError,
});
