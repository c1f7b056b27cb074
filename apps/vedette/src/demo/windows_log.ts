/** Windows events as Winlogbeat ships them, for the demo. Knows no story. */
import { isoStamp, type Scene, type Write } from "./scene.ts";

export const stream = "demo/windows/winlogbeat.ndjson";

export const workstation = "ws017.lab.example";
export const controller = "dc01.lab.example";
const sysmonChannel = "Microsoft-Windows-Sysmon/Operational";
const sysmonProvider = "Microsoft-Windows-Sysmon";
const auditProvider = "Microsoft-Windows-Security-Auditing";
export type Data = { readonly [name: string]: string };

export function winlog(
  channel: string,
  provider: string,
  code: number,
  computer: string,
  data: Data,
  outcome?: "success" | "failure",
): Write {
  return (time, index) => {
    const stamp = isoStamp(time);
    const keywords = outcome === undefined ? undefined : [outcome === "success" ? "Audit Success" : "Audit Failure"];
    return JSON.stringify({
      "@timestamp": stamp,
      event: { code: String(code), kind: "event", provider },
      host: { name: computer },
      log: { level: "information" },
      winlog: {
        channel,
        provider_name: provider,
        event_id: String(code),
        record_id: 100_000 + index,
        computer_name: computer,
        ...(keywords === undefined ? {} : { keywords }),
        event_data: channel === sysmonChannel ? { RuleName: "-", UtcTime: stamp.slice(0, -1).replace("T", " "), ...data } : data,
      },
      agent: { type: "winlogbeat", name: computer },
    });
  };
}

export const sysmon = (code: number, data: Data, computer = workstation) => winlog(sysmonChannel, sysmonProvider, code, computer, data);
export const audit = (code: number, data: Data, computer = workstation, outcome: "success" | "failure" = "success") =>
  winlog("Security", auditProvider, code, computer, data, outcome);

interface Program {
  readonly image: string;
  readonly command: string;
  readonly parent: string;
  readonly user: string;
  readonly pid: number;
  readonly parentPid: number;
}

export const guid = (scene: Scene): string => {
  const { chance } = scene;
  return `{${chance.text(8)}-${chance.text(4)}-${chance.text(4)}-${chance.text(4)}-${chance.text(12)}}`;
};
const name = (path: string) => path.slice(path.lastIndexOf("\\") + 1);

/** A start as Sysmon 1, and as Security 4688 beside it. */
export function start(scene: Scene, at: number, p: Program, mark?: string): void {
  const digest = { MD5: scene.chance.text(32).toUpperCase(), SHA256: scene.chance.text(64).toUpperCase() };
  const [domain, user] = p.user.split("\\") as [string, string];
  const started = sysmon(1, {
    ProcessGuid: guid(scene),
    ProcessId: String(p.pid),
    Image: p.image,
    OriginalFileName: name(p.image),
    CommandLine: p.command,
    CurrentDirectory: "C:\\Windows\\system32\\",
    User: p.user,
    LogonId: "0x5a3f1",
    IntegrityLevel: p.user.startsWith("NT") ? "System" : "High",
    Hashes: `MD5=${digest.MD5},SHA256=${digest.SHA256}`,
    ParentProcessGuid: guid(scene),
    ParentProcessId: String(p.parentPid),
    ParentImage: p.parent,
    ParentCommandLine: `"${p.parent}"`,
  });
  const audited = audit(4688, {
    SubjectUserSid: "S-1-5-21-1004336348-1177238915-682003330-1107",
    SubjectUserName: user,
    SubjectDomainName: domain,
    SubjectLogonId: "0x5a3f1",
    NewProcessId: `0x${p.pid.toString(16)}`,
    NewProcessName: p.image,
    TokenElevationType: "%%1937",
    ProcessId: `0x${p.parentPid.toString(16)}`,
    CommandLine: p.command,
    ParentProcessName: p.parent,
  });
  scene.add(stream, at, started, mark);
  scene.add(stream, at, audited, mark);
}

export const system32 = "C:\\Windows\\System32\\";
