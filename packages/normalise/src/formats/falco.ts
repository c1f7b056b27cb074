/** Falco's JSON output to ECS: one alert a document. Knows no rule. */
import { type JsonObject, z } from "@vedette/kit";
import type { Fields } from "@vedette/model";
import { putField } from "../ecs/mapping.ts";
import { relate } from "../ecs/related.ts";
import { defineDocuments, documentReader, textOf } from "../json/documents.ts";
import { isObject } from "../json/parse.ts";

const read = documentReader({
  module: "falco",
  dataset: "falco.alerts",
  prefix: "falco.",
  time: ["time", "output_fields.evt.time"],
  map: {
    message: "output",
    "rule.name": "rule",
    tags: "tags",
    "host.name": ["hostname", "output_fields.evt.hostname"],
    "event.provider": "source",
    "event.action": ["output_fields.evt.type", "output_fields.ka.verb", "output_fields.ct.name"],
    "process.name": "output_fields.proc.name",
    "process.executable": "output_fields.proc.exepath",
    "process.command_line": "output_fields.proc.cmdline",
    "process.pid": "output_fields.proc.pid",
    "process.working_directory": "output_fields.proc.cwd",
    "process.parent.name": "output_fields.proc.pname",
    "process.parent.pid": "output_fields.proc.ppid",
    "process.parent.command_line": "output_fields.proc.pcmdline",
    "process.parent.executable": "output_fields.proc.pexepath",
    "user.name": ["output_fields.user.name", "output_fields.ka.user.name", "output_fields.ct.user"],
    "user.id": "output_fields.user.uid",
    "group.name": "output_fields.group.name",
    "source.ip": ["output_fields.fd.cip", "output_fields.ka.sourceips", "output_fields.ct.srcip"],
    "source.port": "output_fields.fd.cport",
    "destination.ip": ["output_fields.fd.sip", "output_fields.fd.rip"],
    "destination.port": ["output_fields.fd.sport", "output_fields.fd.rport"],
    "network.transport": "output_fields.fd.l4proto",
    "container.id": "output_fields.container.id",
    "container.name": "output_fields.container.name",
    "container.image.name": "output_fields.container.image.repository",
    "container.image.tag": "output_fields.container.image.tag",
    "orchestrator.namespace": ["output_fields.k8s.ns.name", "output_fields.ka.target.namespace"],
    "orchestrator.resource.name": ["output_fields.k8s.pod.name", "output_fields.ka.target.name"],
    "orchestrator.resource.type": "output_fields.ka.target.resource",
  },
});

/** Syslog's numbers, as Falco's priorities are syslog's severities. */
const priorities = ["emergency", "alert", "critical", "error", "warning", "notice", "informational", "debug"];

function categoryOf(fields: Fields, object: JsonObject): readonly string[] {
  const category = ["intrusion_detection"];
  if (fields["process.name"] !== undefined) category.push("process");
  if (fields["destination.ip"] !== undefined) category.push("network");
  else if (fields["file.path"] !== undefined) category.push("file");
  if (object["source"] === "k8s_audit" || object["source"] === "aws_cloudtrail") category.push("configuration");
  return category;
}

/** `fd.name` is a path, or `1.2.3.4:5->6.7.8.9:10` of a connection. */
function setFile(fields: Fields, told: JsonObject): void {
  const name = textOf(told["fd.name"]);
  if (name?.startsWith("/") && told["fd.typechar"] !== "4" && told["fd.typechar"] !== "6") fields["file.path"] = name;
}

export default defineDocuments({
  name: "falco",
  summary: "Falco's alerts as JSON, of system calls, Kubernetes audit and plug-ins.",
  description:
    "Every value is kept as falco.<path>; tags such as T1059 and mitre_execution become threat.technique.id and threat.tactic.name.",
  stability: "beta",
  config: z.strictObject({}),
  anyOf: ["rule"],
  claims: (object) =>
    typeof object["rule"] === "string" && typeof object["priority"] === "string" && isObject(object["output_fields"]) ? 1 : 0,
  decode(object) {
    const { time, fields } = read(object);
    fields["event.kind"] = "alert";
    const told = object["output_fields"];
    if (isObject(told)) setFile(fields, told);
    fields["event.category"] = categoryOf(fields, object);
    fields["event.type"] = "info";
    const priority = textOf(object["priority"])?.toLowerCase();
    if (priority !== undefined) {
      fields["log.level"] = priority;
      const severity = priorities.indexOf(priority);
      if (severity >= 0) fields["event.severity"] = severity;
    }
    const tags = Array.isArray(object["tags"]) ? (object["tags"] as readonly unknown[]).filter((tag) => typeof tag === "string") : [];
    putField(
      fields,
      "threat.technique.id",
      tags.filter((tag) => /^T\d{4}(?:\.\d{3})?$/.test(tag)),
    );
    putField(
      fields,
      "threat.tactic.name",
      tags.filter((tag) => tag.startsWith("mitre_")).map((tag) => tag.slice(6)),
    );
    relate(fields);
    return { time, fields };
  },
  examples: [
    {
      title: "a shell in a container",
      input:
        '{"hostname":"node1","output":"A shell was spawned in a container","priority":"Notice","rule":"Terminal shell in container","source":"syscall",' +
        '"tags":["container","mitre_execution","shell","T1059"],"time":"2024-05-01T10:00:00.123456789Z","output_fields":{"container.id":"3ad7b26ded6d",' +
        '"container.image.repository":"nginx","evt.type":"execve","proc.cmdline":"bash -i","proc.name":"bash","proc.pname":"runc","proc.pid":4242,"user.name":"root","user.uid":0,' +
        '"k8s.ns.name":"default","k8s.pod.name":"web-1"}}',
      expect: [
        {
          "@timestamp": "2024-05-01T10:00:00.123456Z",
          "event.kind": "alert",
          "event.module": "falco",
          "event.dataset": "falco.alerts",
          "falco.hostname": "node1",
          "falco.output": "A shell was spawned in a container",
          "falco.priority": "Notice",
          "falco.rule": "Terminal shell in container",
          "falco.source": "syscall",
          "falco.tags": ["container", "mitre_execution", "shell", "T1059"],
          "falco.time": "2024-05-01T10:00:00.123456789Z",
          "falco.output_fields.container.id": "3ad7b26ded6d",
          "falco.output_fields.container.image.repository": "nginx",
          "falco.output_fields.evt.type": "execve",
          "falco.output_fields.proc.cmdline": "bash -i",
          "falco.output_fields.proc.name": "bash",
          "falco.output_fields.proc.pname": "runc",
          "falco.output_fields.proc.pid": 4242,
          "falco.output_fields.user.name": "root",
          "falco.output_fields.user.uid": 0,
          "falco.output_fields.k8s.ns.name": "default",
          "falco.output_fields.k8s.pod.name": "web-1",
          message: "A shell was spawned in a container",
          "rule.name": "Terminal shell in container",
          tags: ["container", "mitre_execution", "shell", "T1059"],
          "host.name": "node1",
          "event.provider": "syscall",
          "event.action": "execve",
          "process.name": "bash",
          "process.command_line": "bash -i",
          "process.pid": 4242,
          "process.parent.name": "runc",
          "user.name": "root",
          "user.id": "0",
          "container.id": "3ad7b26ded6d",
          "container.image.name": "nginx",
          "orchestrator.namespace": "default",
          "orchestrator.resource.name": "web-1",
          "event.category": ["intrusion_detection", "process"],
          "event.type": "info",
          "log.level": "notice",
          "event.severity": 5,
          "threat.technique.id": "T1059",
          "threat.tactic.name": "execution",
          "related.user": ["root"],
        },
      ],
    },
    {
      title: "a file below /etc opened for writing",
      input:
        '{"output":"File below /etc opened for writing","priority":"Error","rule":"Write below etc","time":"2024-05-01T10:00:01Z","output_fields":{"fd.name":"/etc/ld.so.preload","proc.name":"cp","user.name":"root"}}',
      expect: [
        {
          "@timestamp": "2024-05-01T10:00:01.000000Z",
          "event.kind": "alert",
          "event.module": "falco",
          "event.dataset": "falco.alerts",
          "falco.output": "File below /etc opened for writing",
          "falco.priority": "Error",
          "falco.rule": "Write below etc",
          "falco.time": "2024-05-01T10:00:01Z",
          "falco.output_fields.fd.name": "/etc/ld.so.preload",
          "falco.output_fields.proc.name": "cp",
          "falco.output_fields.user.name": "root",
          message: "File below /etc opened for writing",
          "rule.name": "Write below etc",
          "process.name": "cp",
          "user.name": "root",
          "file.path": "/etc/ld.so.preload",
          "event.category": ["intrusion_detection", "process", "file"],
          "event.type": "info",
          "log.level": "error",
          "event.severity": 3,
          "related.user": ["root"],
        },
      ],
    },
  ],
});
