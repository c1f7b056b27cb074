/** What a new rule begins as, by the source it looks at: a logsource, a selection that works, and two cases on real wire lines. */

export interface Template {
  /** What it looks at, for the list of choices. */
  readonly about: string;
  readonly logsource: string;
  readonly detection: string;
  readonly entity: string;
  readonly format: string;
  /** Lines that fire, and the near miss that does not. */
  readonly match: string;
  readonly none: string;
  /** Where a real line can be had. */
  readonly tactic: string;
  readonly technique: string;
}

const sysmon = (fields: string) =>
  `{"EventTime":"2026-05-04 10:00:00","EventID":1,"Channel":"Microsoft-Windows-Sysmon/Operational","Hostname":"srv02.lab.example",${fields},"User":"LAB\\\\jdoe"}`;
const security = (id: number, fields: string) =>
  `{"EventTime":"2026-05-04 10:00:00","EventID":${id},"Channel":"Security","Hostname":"dc01.lab.example",${fields}}`;
const tetragon = (binary: string, args: string) =>
  `{"process_exec":{"process":{"exec_id":"bm9kZTE6MQ==","pid":4242,"uid":1000,"cwd":"/","binary":"${binary}","arguments":"${args}","start_time":"2026-05-04T10:00:00Z"},"parent":{"pid":4200,"binary":"/usr/bin/bash"}},"node_name":"node1","time":"2026-05-04T10:00:00.1Z"}`;
const zeek = (log: string, fields: string) =>
  `{"_path":"${log}","ts":1714809600.1,"uid":"CAbcde1","id.orig_h":"10.20.9.1","id.orig_p":40211,"id.resp_h":"198.51.100.7","id.resp_p":443,"proto":"tcp",${fields}}`;
const request = (path: string) => `203.0.113.9 - - [04/May/2026:10:00:00 +0000] "GET ${path} HTTP/1.1" 200 812 "-" "Mozilla/5.0"`;
const trail = (name: string) =>
  `{"eventVersion":"1.09","userIdentity":{"type":"IAMUser","userName":"mallory","accountId":"111122223333"},"eventTime":"2026-05-04T10:00:00Z","eventSource":"iam.amazonaws.com","eventName":"${name}","awsRegion":"us-east-1","sourceIPAddress":"203.0.113.9","userAgent":"aws-cli/2.15","requestParameters":null,"responseElements":null,"eventID":"6c1f0008-0000-4000-8000-000000000001","eventType":"AwsApiCall","recipientAccountId":"111122223333"}`;

export const templates: { readonly [source: string]: Template } = {
  sshd: {
    about: "log-ins over SSH (syslog)",
    logsource: "{ product: linux, service: sshd }",
    detection: `  login:
    event.action: ssh_login
    event.outcome: success
    user.name: backup
  own_host:
    host.name|startswith: backup
  condition: login and not own_host`,
    entity: "host.name",
    format: "syslog",
    match: "Nov 21 10:00:00 web1 sshd[1234]: Accepted publickey for backup from 10.20.0.7 port 4022 ssh2: ED25519 SHA256:AAAA",
    none: "Nov 21 10:00:00 backup1 sshd[1234]: Accepted publickey for backup from 10.20.0.7 port 4022 ssh2: ED25519 SHA256:AAAA",
    tactic: "lateral-movement",
    technique: "t1021.004",
  },
  sudo: {
    about: "commands run with sudo (syslog)",
    logsource: "{ product: linux, service: sudo }",
    detection: `  command:
    COMMAND|contains: /usr/bin/example
  condition: command`,
    entity: "user.name",
    format: "syslog",
    match: "Nov 21 10:00:00 login1 sudo:   alice : TTY=pts/3 ; PWD=/ ; USER=root ; COMMAND=/usr/bin/example --all",
    none: "Nov 21 10:00:00 login1 sudo:   alice : TTY=pts/3 ; PWD=/ ; USER=root ; COMMAND=/usr/bin/ls /root",
    tactic: "privilege-escalation",
    technique: "t1548.003",
  },
  auditd: {
    about: "records of the Linux audit daemon",
    logsource: "{ product: linux, service: auditd }",
    detection: `  written:
    type: PATH
    name: /etc/example.conf
    nametype: CREATE
  condition: written`,
    entity: "host.name",
    format: "auditd",
    match:
      'type=PATH msg=audit(1714809600.123:101): item=1 name="/etc/example.conf" inode=131 dev=08:01 mode=0100644 ouid=0 ogid=0 rdev=00:00 nametype=CREATE',
    none: 'type=PATH msg=audit(1714809600.123:101): item=1 name="/etc/example.conf" inode=131 dev=08:01 mode=0100644 ouid=0 ogid=0 rdev=00:00 nametype=NORMAL',
    tactic: "persistence",
    technique: "t1543",
  },
  linux_process: {
    about: "processes started on Linux (Tetragon, sudo, endpoint agents)",
    logsource: "{ product: linux, category: process_creation }",
    detection: `  program:
    Image|endswith: /example
    CommandLine|contains: ' --all'
  condition: program`,
    entity: "host.name",
    format: "tetragon",
    match: tetragon("/usr/bin/example", "--all /srv"),
    none: tetragon("/usr/bin/example", "--list /srv"),
    tactic: "execution",
    technique: "t1059.004",
  },
  windows_process: {
    about: "processes started on Windows (Sysmon 1, Security 4688)",
    logsource: "{ product: windows, category: process_creation }",
    detection: `  program:
    Image|endswith: '\\example.exe'
    CommandLine|contains: ' /all'
  condition: program`,
    entity: "host.name",
    format: "windows_event",
    match: sysmon(
      '"Image":"C:\\\\Windows\\\\example.exe","CommandLine":"example.exe /all","ParentImage":"C:\\\\Windows\\\\System32\\\\cmd.exe"',
    ),
    none: sysmon(
      '"Image":"C:\\\\Windows\\\\example.exe","CommandLine":"example.exe /list","ParentImage":"C:\\\\Windows\\\\System32\\\\cmd.exe"',
    ),
    tactic: "execution",
    technique: "t1059.003",
  },
  windows_security: {
    about: "the Windows Security log",
    logsource: "{ product: windows, service: security }",
    detection: `  added:
    EventID: 4732
    TargetUserName: Administrators
  condition: added`,
    entity: "host.name",
    format: "windows_event",
    match: security(4732, '"TargetUserName":"Administrators","SubjectUserName":"jdoe"'),
    none: security(4732, '"TargetUserName":"Print Operators","SubjectUserName":"jdoe"'),
    tactic: "persistence",
    technique: "t1098",
  },
  zeek_conn: {
    about: "connections seen by Zeek",
    logsource: "{ product: zeek, service: conn }",
    detection: `  connection:
    id.resp_p: 4444
    conn_state: SF
  condition: connection`,
    entity: "source.ip",
    format: "zeek",
    match: zeek("conn", '"conn_state":"SF","duration":1.5').replace('"id.resp_p":443', '"id.resp_p":4444'),
    none: zeek("conn", '"conn_state":"SF","duration":1.5'),
    tactic: "command-and-control",
    technique: "t1571",
  },
  zeek_dns: {
    about: "names asked for, seen by Zeek",
    logsource: "{ product: zeek, service: dns }",
    detection: `  name:
    query|endswith: .example.net
  condition: name`,
    entity: "source.ip",
    format: "zeek",
    match: zeek("dns", '"query":"a1.example.net","qtype_name":"A"'),
    none: zeek("dns", '"query":"www.example.com","qtype_name":"A"'),
    tactic: "command-and-control",
    technique: "t1071.004",
  },
  web: {
    about: "requests to web servers (nginx, Apache, Zeek's http log)",
    logsource: "{ category: webserver }",
    detection: `  path:
    c-uri|contains: /example-admin/
    sc-status: 200
  condition: path`,
    entity: "source.ip",
    format: "nginx_access",
    match: request("/example-admin/setup.php"),
    none: request("/products/setup.html"),
    tactic: "initial-access",
    technique: "t1190",
  },
  cloudtrail: {
    about: "AWS API calls (CloudTrail)",
    logsource: "{ product: aws, service: cloudtrail }",
    detection: `  call:
    eventSource: iam.amazonaws.com
    eventName: CreateUser
  failed:
    errorCode|exists: true
  condition: call and not failed`,
    entity: "user.name",
    format: "aws_cloudtrail",
    match: trail("CreateUser"),
    none: trail("ListUsers"),
    tactic: "persistence",
    technique: "t1136.003",
  },
};
