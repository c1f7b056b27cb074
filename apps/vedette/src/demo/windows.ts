/** One intruder on a workstation who steals credentials, spreads to the domain controller and covers the tracks. */
import type { Scene, Write } from "./scene.ts";
import { audit, controller, guid, start, stream, sysmon, system32, winlog, workstation } from "./windows_log.ts";

const label = "windows_credential_dumping";
const lsass = `${system32}lsass.exe`;
const powershell = `${system32}WindowsPowerShell\\v1.0\\powershell.exe`;

function openLsass(scene: Scene, at: number, image: string, pid: number, access: string, trace: string): void {
  const data = {
    SourceProcessGUID: guid(scene),
    SourceProcessId: String(pid),
    SourceThreadId: "7012",
    SourceImage: image,
    TargetProcessGUID: "{5f3a0c11-0a10-65e6-0c00-000000000700}",
    TargetProcessId: "712",
    TargetImage: lsass,
    GrantedAccess: access,
    CallTrace: trace,
    SourceUser: "LAB\\jdoe",
    TargetUser: "NT AUTHORITY\\SYSTEM",
  };
  scene.add(stream, at, sysmon(10, data), label);
}

function writeFile(scene: Scene, at: number, image: string, pid: number, file: string): void {
  scene.add(
    stream,
    at,
    sysmon(11, {
      ProcessGuid: guid(scene),
      ProcessId: String(pid),
      Image: image,
      TargetFilename: file,
      CreationUtcTime: "2024-01-01 00:00:00.000",
    }),
    label,
  );
}

/** `whoami /all` and so on, base64 of UTF-16 as PowerShell wants it. */
const encoded = Buffer.from("whoami /all; net group 'Domain Admins' /domain", "utf16le").toString("base64");

/** The attack runs from 40 % to 75 % of the story: entry, discovery, three ways into LSASS, registry hives, spreading, cleaning up. */
export function addWindowsAttack(scene: Scene): void {
  const user = "LAB\\jdoe";
  const cmd = `${system32}cmd.exe`;
  const run = (at: number, image: string, command: string, pid: number, parent = cmd, parentPid = 6120) =>
    start(scene, at, { image, command, parent, user, pid, parentPid }, label);
  run(
    0.4,
    powershell,
    `powershell.exe -NoP -W Hidden -Enc ${encoded}`,
    6024,
    "C:\\Program Files\\Microsoft Office\\root\\Office16\\WINWORD.EXE",
    5012,
  );
  const block = {
    MessageNumber: "1",
    MessageTotal: "1",
    ScriptBlockText: "whoami /all; net group 'Domain Admins' /domain",
    ScriptBlockId: guid(scene),
    Path: "",
  };
  scene.add(
    stream,
    0.401,
    winlog("Microsoft-Windows-PowerShell/Operational", "Microsoft-Windows-PowerShell", 4104, workstation, block),
    label,
  );
  run(0.402, cmd, "cmd.exe", 6120, powershell, 6024);
  run(0.405, `${system32}whoami.exe`, "whoami /all", 6204);
  run(0.408, `${system32}net.exe`, 'net group "Domain Admins" /domain', 6216);
  const off = { "Product Name": "Microsoft Defender Antivirus", "Product Version": "4.18.24050.7" };
  scene.add(
    stream,
    0.43,
    winlog("Microsoft-Windows-Windows Defender/Operational", "Microsoft-Windows-Windows Defender", 5001, workstation, off),
    label,
  );
  const tools = "C:\\Users\\Public\\";
  run(0.46, `${tools}procdump64.exe`, `procdump64.exe -accepteula -ma lsass.exe ${tools}l.dmp`, 6310);
  openLsass(
    scene,
    0.461,
    `${tools}procdump64.exe`,
    6310,
    "0x1fffff",
    "C:\\Windows\\SYSTEM32\\ntdll.dll+9d4c4|C:\\Windows\\System32\\dbgcore.DLL+6e5e",
  );
  writeFile(scene, 0.462, `${tools}procdump64.exe`, 6310, `${tools}l.dmp`);
  run(
    0.5,
    `${system32}rundll32.exe`,
    `rundll32.exe C:\\Windows\\System32\\comsvcs.dll, MiniDump 712 ${tools}lsass.dmp full`,
    6402,
    powershell,
    6024,
  );
  openLsass(
    scene,
    0.501,
    `${system32}rundll32.exe`,
    6402,
    "0x1fffff",
    "C:\\Windows\\SYSTEM32\\ntdll.dll+9d4c4|C:\\Windows\\System32\\comsvcs.dll+2a1f4",
  );
  writeFile(scene, 0.502, `${system32}rundll32.exe`, 6402, `${tools}lsass.dmp`);
  run(0.54, `${tools}m.exe`, 'm.exe "privilege::debug" "sekurlsa::logonpasswords" exit', 6500);
  openLsass(scene, 0.541, `${tools}m.exe`, 6500, "0x1010", "C:\\Windows\\SYSTEM32\\ntdll.dll+9d4c4|UNKNOWN(00007FF6A1B2C3D4)");
  run(0.57, `${system32}reg.exe`, `reg.exe save HKLM\\SAM ${tools}sam.hiv /y`, 6610);
  run(0.575, `${system32}reg.exe`, `reg.exe save HKLM\\SYSTEM ${tools}system.hiv /y`, 6614);
  addSpread(scene);
  run(0.73, `${system32}wevtutil.exe`, "wevtutil.exe cl Security", 6800);
  const cleared = {
    SubjectUserSid: "S-1-5-21-1004336348-1177238915-682003330-1107",
    SubjectUserName: "jdoe",
    SubjectDomainName: "LAB",
    SubjectLogonId: "0x5a3f1",
  };
  scene.add(stream, 0.732, winlog("Security", "Microsoft-Windows-Eventlog", 1102, workstation, cleared), label);
}

/** With the stolen account to the domain controller: explicit credentials, network logon, a service that runs commands. */
function addSpread(scene: Scene): void {
  const put = (at: number, write: Write) => scene.add(stream, at, write, label);
  const account = { TargetUserName: "svc-backup", TargetDomainName: "LAB" };
  put(
    0.62,
    audit(4648, {
      SubjectUserName: "jdoe",
      SubjectDomainName: "LAB",
      ...account,
      TargetServerName: controller,
      ProcessName: `${system32}cmd.exe`,
    }),
  );
  const from = { IpAddress: "10.20.5.17", IpPort: "50412", WorkstationName: "WS017" };
  const logon = { ...account, TargetUserSid: "S-1-5-21-1004336348-1177238915-682003330-1120", TargetLogonId: "0x9f2c4", LogonType: "3" };
  put(
    0.63,
    audit(
      4624,
      { SubjectUserName: "-", ...logon, ...from, AuthenticationPackageName: "NTLM", LogonProcessName: "NtLmSsp ", KeyLength: "0" },
      controller,
    ),
  );
  put(
    0.631,
    audit(
      4672,
      {
        SubjectUserName: "svc-backup",
        SubjectDomainName: "LAB",
        SubjectLogonId: "0x9f2c4",
        PrivilegeList: "SeDebugPrivilege\n\t\t\tSeBackupPrivilege",
      },
      controller,
    ),
  );
  const service = {
    ServiceName: "PSEXESVC",
    ImagePath: "%SystemRoot%\\PSEXESVC.exe",
    ServiceType: "user mode service",
    StartType: "demand start",
    AccountName: "LocalSystem",
  };
  put(0.64, winlog("System", "Service Control Manager", 7045, controller, service));
}
