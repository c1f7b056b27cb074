/** Health of the container: whether the server answers, over its own certificate. Says nothing of whether it detects: that is /readyz, which tells people. */
import { readFileSync } from "node:fs";
import { get } from "node:https";

const ca = readFileSync(process.env.VEDETTE__TLS__CERTIFICATE ?? "/secrets/tls.crt");
const path = process.argv[2] ?? "/healthz";
get({ host: "127.0.0.1", port: 8080, path, ca, servername: "localhost", timeout: 5_000 }, (answer) =>
  process.exit(answer.statusCode === 200 ? 0 : 1),
)
  .on("error", () => process.exit(1))
  .on("timeout", () => process.exit(1));
