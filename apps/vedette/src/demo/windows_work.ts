/** An office day in Windows events. */
import type { Scene } from "./scene.ts";
import { audit, controller, type Data, guid, start, stream, sysmon, system32, workstation } from "./windows_log.ts";

const services = ["svchost.exe", "taskhostw.exe", "SearchIndexer.exe", "spoolsv.exe", "WmiPrvSE.exe"];
const apps = [
  "C:\\Program Files\\Mozilla Firefox\\firefox.exe",
  "C:\\Program Files\\Microsoft Office\\root\\Office16\\OUTLOOK.EXE",
  "C:\\Program Files\\Microsoft Office\\root\\Office16\\EXCEL.EXE",
  "C:\\Windows\\explorer.exe",
  "C:\\Program Files\\7-Zip\\7zFM.exe",
];
const staff = ["jdoe", "asmith", "mkhan", "lchen"];

/** About `count` events of an office day. */
export function addWindowsNoise(scene: Scene, count: number): void {
  const { chance } = scene;
  for (let written = 0; written < count; written++) {
    const at = chance.next();
    const kind = chance.next();
    const image = chance.next() < 0.5 ? `${system32}${chance.pick(services)}` : chance.pick(apps);
    const process = { ProcessGuid: guid(scene), ProcessId: String(chance.whole(1_000, 9_999)), Image: image };
    const user = chance.pick(staff);
    if (kind < 0.12) {
      const parent = image.startsWith(system32) ? `${system32}services.exe` : "C:\\Windows\\explorer.exe";
      start(scene, at, {
        image,
        command: commandOf(image),
        parent,
        user: `LAB\\${user}`,
        pid: chance.whole(1_000, 9_999),
        parentPid: chance.whole(500, 999),
      });
      written++;
    } else if (kind < 0.22) scene.add(stream, at, sysmon(5, { ...process, User: `LAB\\${user}` }));
    else if (kind < 0.42) scene.add(stream, at, sysmon(3, connection(scene, process)));
    else if (kind < 0.55)
      scene.add(
        stream,
        at,
        sysmon(22, {
          ...process,
          QueryName: chance.pick(sites),
          QueryStatus: "0",
          QueryResults: `::ffff:192.0.2.${chance.whole(1, 254)};`,
        }),
      );
    else if (kind < 0.75)
      scene.add(
        stream,
        at,
        sysmon(13, {
          ...process,
          EventType: "SetValue",
          TargetObject: `HKU\\S-1-5-21-1\\Software\\App\\Window${chance.whole(1, 90)}`,
          Details: "DWORD (0x00000001)",
        }),
      );
    else if (kind < 0.88) addLogon(scene, at, user);
    else if (kind < 0.9) scene.add(stream, at, sysmon(10, lookAtLsass(scene)));
    else
      scene.add(
        stream,
        at,
        sysmon(11, {
          ...process,
          TargetFilename: `C:\\Users\\${user}\\AppData\\Local\\Temp\\${chance.text(8)}.tmp`,
          CreationUtcTime: "2024-01-01 00:00:00.000",
        }),
      );
  }
}

/** Windows starts its service hosts with the group to run. */
const commandOf = (image: string): string => (image.endsWith("svchost.exe") ? `${image} -k netsvcs -p -s Schedule` : `"${image}"`);

/** Programs that list processes open lsass.exe too, but may not read its memory: access 0x1000, limited query. */
function lookAtLsass(scene: Scene): Data {
  const { chance } = scene;
  return {
    SourceProcessGUID: guid(scene),
    SourceProcessId: String(chance.whole(1_000, 9_999)),
    SourceImage: `${system32}svchost.exe`,
    TargetProcessGUID: "{5f3a0c11-0a10-65e6-0c00-000000000700}",
    TargetProcessId: "712",
    TargetImage: `${system32}lsass.exe`,
    GrantedAccess: "0x1000",
    CallTrace: "C:\\Windows\\SYSTEM32\\ntdll.dll+9d4c4|C:\\Windows\\System32\\KERNELBASE.dll+2c13e",
  };
}

const sites = ["www.example.org", "mail.lab.example", "updates.example.net", "cdn.example.com", "intranet.lab.example"];

function connection(scene: Scene, process: Data): Data {
  const { chance } = scene;
  return {
    ...process,
    // In this office only the browser goes out.
    Image: apps[0]!,
    User: "LAB\\jdoe",
    Protocol: "tcp",
    Initiated: "true",
    SourceIsIpv6: "false",
    SourceIp: "10.20.5.17",
    SourceHostname: workstation,
    SourcePort: String(chance.whole(49_152, 65_000)),
    DestinationIsIpv6: "false",
    DestinationIp: `192.0.2.${chance.whole(1, 254)}`,
    DestinationHostname: "-",
    DestinationPort: chance.pick(["443", "443", "443", "80"]),
  };
}

function addLogon(scene: Scene, at: number, user: string): void {
  const { chance } = scene;
  const account = { TargetUserName: user, TargetDomainName: "LAB", TargetLogonId: `0x${chance.text(6)}` };
  const from = {
    IpAddress: `10.20.5.${chance.whole(10, 90)}`,
    IpPort: String(chance.whole(49_152, 65_000)),
    LogonType: "3",
    AuthenticationPackageName: "Kerberos",
  };
  if (chance.next() < 0.02)
    scene.add(stream, at, audit(4625, { ...account, ...from, Status: "0xc000006d", SubStatus: "0xc000006a" }, controller, "failure"));
  else
    scene.add(
      stream,
      at,
      chance.next() < 0.5 ? audit(4624, { ...account, ...from }, controller) : audit(4634, { ...account, LogonType: "3" }, controller),
    );
}
