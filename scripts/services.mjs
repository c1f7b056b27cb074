/** `node scripts/services.mjs`: installs the real clients and servers that integration tests speak with, into a folder kept between runs. Tests skip what is not there. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

/** Where they lie; `tests/e2e/clients.ts` looks there. */
const folder = process.env["VEDETTE_SERVICES"] ?? join(homedir(), ".cache", "vedette-services");

/** Debian's packages, each with a file that tells that it is there. */
const packages = {
  rsyslog: "/usr/sbin/rsyslogd",
  "rsyslog-elasticsearch": "/usr/lib/x86_64-linux-gnu/rsyslog/omelasticsearch.so",
  "rsyslog-gnutls": "/usr/lib/x86_64-linux-gnu/rsyslog/lmnsd_gtls.so",
  "systemd-journal-remote": "/lib/systemd/systemd-journal-upload",
  softflowd: "/usr/sbin/softflowd",
  "openjdk-17-jre-headless": "/usr/bin/java",
  maven: "/usr/bin/mvn",
  "python3-venv": "/usr/bin/python3",
};
const npm = ["@elastic/elasticsearch@9.4.3", "@opensearch-project/opensearch@3.9.0"];
const python = ["elasticsearch==9.5.0"];
const kafka = "4.1.1";

const run = (command, args, cwd) => execFileSync(command, args, { cwd, stdio: ["ignore", "ignore", "inherit"], timeout: 300_000 });

function debian() {
  const missing = Object.keys(packages).filter((name) => !existsSync(packages[name]));
  if (missing.length === 0) return;
  run("apt-get", ["update", "-qq"]);
  // the packages' own services are not wanted: tests start what they need
  run("env", ["DEBIAN_FRONTEND=noninteractive", "RUNLEVEL=1", "apt-get", "install", "-y", "-qq", "--no-install-recommends", ...missing]);
}

/** Fills a folder under another name first, so that half of one is never taken for the whole. */
function once(name, fill) {
  const place = join(folder, name);
  if (existsSync(place)) return;
  const half = `${place}.half`;
  rmSync(half, { recursive: true, force: true });
  mkdirSync(half, { recursive: true });
  fill(half);
  renameSync(half, place);
}

const jars = (place) => {
  const dependency = (group, artifact, version) =>
    `<dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version></dependency>`;
  writeFileSync(
    join(place, "pom.xml"),
    `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion><groupId>vedette</groupId><artifactId>services</artifactId><version>1</version><dependencies>${dependency("org.apache.kafka", "kafka_2.13", kafka)}${dependency("org.slf4j", "slf4j-simple", "1.7.36")}</dependencies></project>`,
  );
  run("mvn", ["-q", "-B", "dependency:copy-dependencies", "-DoutputDirectory=lib"], place);
};

const steps = {
  "Debian's packages": debian,
  "npm clients": () =>
    once("npm", (place) => {
      writeFileSync(join(place, "package.json"), '{"private":true}');
      run("npm", ["install", "--no-audit", "--no-fund", ...npm], place);
    }),
  "Python clients": () =>
    once("python", (place) => {
      // a virtual environment knows its own path, so packages go beside it
      run("python3", ["-m", "pip", "install", "-q", "--target", place, ...python]);
    }),
  Kafka: () => once(`kafka-${kafka}`, jars),
};

let failed = 0;
for (const [name, step] of Object.entries(steps)) {
  try {
    step();
  } catch (e) {
    failed++;
    process.stderr.write(`${name} could not be installed: ${e.message.split("\n")[0]}\n`);
  }
}
process.exitCode = failed === 0 ? 0 : 1;
