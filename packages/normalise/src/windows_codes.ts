/** What the event codes of Windows providers mean in ECS: action, category, type, outcome. Knows no field of an event. */

/** Whose account `user.*` names where an event names two: the one who acted or the one acted upon. */
export type Actor = "subject" | "target";

/** One event code's meaning. The arrays are shared by all events of the code. */
export interface Meaning {
  readonly action: string;
  readonly category: readonly string[];
  readonly type: readonly string[];
  readonly outcome: "success" | "failure" | undefined;
  readonly actor: Actor;
  readonly alert: boolean;
}

/** `code action category type flags`; `+` joins several; flags: `ok`, `fail`, `target`, `alert`. Source: Microsoft's and Sysmon's event references. */
function table(text: string): ReadonlyMap<string, Meaning> {
  const meanings = new Map<string, Meaning>();
  for (const line of text.trim().split("\n")) {
    const [codes, action, category, type, ...flags] = line.trim().split(/\s+/) as [string, string, string, string, ...string[]];
    const meaning: Meaning = {
      action,
      category: category.split("+"),
      type: type.split("+"),
      outcome: flags.includes("ok") ? "success" : flags.includes("fail") ? "failure" : undefined,
      actor: flags.includes("target") ? "target" : "subject",
      alert: flags.includes("alert"),
    };
    for (const code of codes.split(",")) meanings.set(code, meaning);
  }
  return meanings;
}

export const sysmon = table(`
  1 created-process process start
  2 changed-file-time file change
  3 connected network connection+start+protocol
  4 changed-sysmon-state configuration change
  5 exited-process process end
  6 loaded-driver driver start
  7 loaded-library library start
  8 created-remote-thread process change
  9 read-raw-disk file access
  10 accessed-process process access
  11 created-file file creation
  12 changed-registry-key registry change
  13 set-registry-value registry change
  14 renamed-registry-key registry change
  15 created-file-stream file creation
  16 changed-sysmon-config configuration change
  17 created-pipe file creation
  18 connected-pipe file access
  19 registered-wmi-filter configuration creation
  20 registered-wmi-consumer configuration creation
  21 bound-wmi-consumer configuration creation
  22 queried-dns network protocol+info
  23,26 deleted-file file deletion
  24 changed-clipboard host change
  25 tampered-process process change
  27 blocked-executable file denied
  28 blocked-shredding file denied
  29 detected-executable file creation
  255 sysmon-error host error`);

export const security = table(`
  1100 stopped-event-logging configuration end
  1101,1104,1105,1108 event-log-notice host info
  1102 cleared-audit-log configuration deletion
  4608 started-windows host start
  4609 stopped-windows host end
  4610,4611,4614,4622 registered-logon-component configuration info
  4612 lost-audit-events configuration error
  4616 changed-system-time configuration change
  4618 monitored-pattern intrusion_detection info alert
  4621 recovered-from-crash-on-audit configuration change
  4624 logged-in authentication start ok target
  4625 logon-failed authentication start fail target
  4626,4627 listed-token-groups iam info target
  4634,4647 logged-out authentication end ok target
  4648 logged-in-explicit authentication start ok
  4649 detected-replay authentication info target alert
  4656,4661 requested-object-handle object access
  4657 modified-registry-value registry change
  4658 closed-object-handle host info
  4659 requested-handle-to-delete object deletion
  4660 deleted-object file deletion
  4662 operated-on-directory-object iam access
  4663 accessed-object object access
  4664 created-hard-link file creation
  4665,4666,4667,4668 application-client-context host info
  4670 changed-object-permissions object change
  4671 blocked-ordinal-access host denied
  4672 logged-in-special iam admin
  4673 called-privileged-service iam admin
  4674 operated-on-privileged-object iam admin
  4675 filtered-sids authentication info target
  4688 created-process process start
  4689 exited-process process end
  4690 duplicated-object-handle host info
  4691 accessed-object-indirectly object access
  4692,4693 used-data-protection-key iam access
  4694,4695 protected-auditable-data iam access
  4696 assigned-primary-token process info
  4697 installed-service configuration creation
  4698 created-scheduled-task configuration creation
  4699 deleted-scheduled-task configuration deletion
  4700 enabled-scheduled-task configuration change
  4701 disabled-scheduled-task configuration change
  4702 updated-scheduled-task configuration change
  4703 adjusted-token-privileges iam change
  4704 assigned-user-right iam change
  4705 removed-user-right iam change
  4706,4716,4865,4867 changed-domain-trust configuration change
  4707,4866 removed-domain-trust configuration deletion
  4709,4710,4711,4712 changed-ipsec-service configuration change
  4713 changed-kerberos-policy configuration change
  4714 changed-recovery-policy configuration change
  4715,4719,4902,4904,4905,4906,4907,4908,4912 changed-audit-config configuration change
  4717 granted-system-access iam change
  4718 removed-system-access iam change
  4720 added-user-account iam user+creation
  4722 enabled-user-account iam user+change
  4723 changed-password iam user+change
  4724 reset-password iam user+change
  4725 disabled-user-account iam user+deletion
  4726 deleted-user-account iam user+deletion
  4727,4731,4744,4749,4754,4759,4783,4790 added-group-account iam group+creation
  4728,4732,4746,4751,4756,4761,4785,4787 added-member-to-group iam group+change
  4729,4733,4747,4752,4757,4762,4786,4788 removed-member-from-group iam group+change
  4730,4734,4748,4753,4758,4763,4789,4792 deleted-group-account iam group+deletion
  4735,4737,4745,4750,4755,4760,4764,4784,4791 modified-group-account iam group+change
  4738 modified-user-account iam user+change
  4739 changed-domain-policy configuration change
  4740 locked-out-user-account iam user+change
  4741 added-computer-account iam creation
  4742 changed-computer-account iam change
  4743 deleted-computer-account iam deletion
  4765,4766 added-sid-history iam user+change
  4767 unlocked-user-account iam user+change
  4768 kerberos-authentication-ticket-requested authentication start target
  4769 kerberos-service-ticket-requested authentication start target
  4770 kerberos-service-ticket-renewed authentication start ok target
  4771 kerberos-preauth-failed authentication start fail target
  4772,4773 kerberos-ticket-request-failed authentication start fail target
  4774,4775 mapped-account authentication info target
  4776 credential-validated authentication start target
  4777 credential-validation-failed authentication start fail target
  4778 session-reconnected authentication+session start ok
  4779 session-disconnected authentication+session end ok
  4780 set-admin-acl iam admin
  4781 renamed-user-account iam user+change
  4782 accessed-password-hash iam access
  4793 checked-password-policy iam info
  4794 set-dsrm-password iam admin
  4797 queried-blank-password iam user+info
  4798 listed-user-groups iam user+info
  4799 listed-group-members iam group+info
  4800 locked-workstation session change target
  4801 unlocked-workstation session change target
  4802,4803 used-screensaver session change target
  4816,4817,4818,4819,4826 changed-security-setting configuration change
  4868,4870,4871,4872,4873,4874,4875,4876,4877,4878,4879 used-certificate-services configuration info
  4880,4881,4882,4885,4890,4891,4892,4895,4896,4897,4898,4899,4900 changed-certificate-services configuration change
  4886,4887,4888,4889,4893,4894 requested-certificate iam info
  4909,4910 changed-local-policy configuration change
  4913 changed-central-access-policy configuration change
  4928,4929,4930,4931,4932,4933,4934,4935,4936,4937 replicated-directory configuration info
  4944,4945,4946,4947,4948,4949,4950,4951,4952,4953,4954,4956,4957,4958 changed-firewall-rule configuration change
  4964 special-group-logged-in authentication start ok target
  4985 changed-transaction-state file change
  5024,5025,5027,5028,5029,5030,5032,5033,5034,5035,5037 firewall-service host info
  5031 blocked-inbound-application network denied
  5038,6281 invalid-image-hash file error
  5056,5057,5058,5059,5060,5061,5062,5063,5064,5065,5066,5067,5068,5069,5070 used-cryptography iam access
  5136 modified-directory-object iam change
  5137 created-directory-object iam creation
  5138 undeleted-directory-object iam creation
  5139 moved-directory-object iam change
  5141 deleted-directory-object iam deletion
  5140 accessed-network-share network+file access
  5142 added-network-share configuration creation
  5143 modified-network-share configuration change
  5144 deleted-network-share configuration deletion
  5145 checked-network-share-object network+file access
  5148,5149 dos-attack network info alert
  5150,5151,5152,5153 blocked-packet network denied
  5154 allowed-listen network start+allowed
  5155 blocked-listen network denied
  5156 allowed-connection network connection+start+allowed
  5157 blocked-connection network connection+denied
  5158 allowed-bind network start+allowed
  5159 blocked-bind network denied
  5168 failed-smb-spn-check authentication start fail
  5376,5377,5379,5381,5382 read-credentials iam access
  5378 blocked-credential-delegation iam denied
  5440,5441,5442,5443,5444,5446,5447,5448,5449,5450 changed-filtering-platform configuration change
  5632,5633 authenticated-to-network authentication start target
  5888,5889,5890 changed-com-catalog configuration change
  6144,6145 applied-group-policy configuration change
  6272,6278 granted-network-access authentication start ok
  6273,6274,6276 denied-network-access authentication start fail
  6416 recognised-device host info
  6419,6420,6421,6422,6423,6424 changed-device host change
  8222 created-shadow-copy file creation`);

export const powershell = table(`
  400 started-engine process start
  403 stopped-engine process end
  600 started-provider process info
  800 executed-pipeline process info
  4100 failed-command process error
  4103 executed-command process info
  4104 compiled-script-block process info
  4105 started-script-block process start
  4106 completed-script-block process end
  8193,8194,8195,8196,8197,12039,53504 opened-runspace process info
  24577 opened-script process info
  40961,40962 started-console process start`);

/** Codes of the System log that only one provider uses; the others are found by provider. */
export const system = table(`
  104 cleared-event-log configuration deletion
  1074,1076 requested-shutdown host end
  6005,6009 started-system host start
  6006 stopped-system host end
  6008 crashed-system host error
  6013 reported-uptime host info
  7000,7001,7009,7011,7022,7023,7024,7026,7031,7032,7034,7038,7041 failed-service host error fail
  7030 warned-of-service configuration info
  7035 controlled-service host change
  7036 changed-service-state host change
  7040 changed-service-start-type configuration change
  7045 installed-service configuration creation
  16962,16965,16968,16977 changed-sam-policy configuration info`);

export const defender = table(`
  1000,1001,1002,1005 scanned host info
  1006,1015,1116 detected-malware malware info alert
  1007,1117 acted-on-malware malware info alert
  1008,1118,1119 failed-action-on-malware malware error alert
  1009,1010,1011,1012,1013 changed-quarantine malware change
  1121,1122,1131,1132,1133,1134 applied-attack-surface-rule intrusion_detection denied alert
  1123,1124,1127,1128 blocked-folder-access intrusion_detection denied alert
  1125,1126 blocked-network-access intrusion_detection denied alert
  1150,1151 reported-health host info
  2000,2002,2010,2011,2030,2031 updated-definitions configuration change
  2001,2003,2004,2005,2012 failed-update configuration error
  3002 failed-realtime-protection configuration error
  3007 recovered-realtime-protection configuration change
  5000 enabled-realtime-protection configuration change
  5001 disabled-realtime-protection configuration change
  5004,5007 changed-configuration configuration change
  5008 failed-engine host error
  5009 enabled-scanning configuration change
  5010 disabled-scanning configuration change
  5011 enabled-virus-scanning configuration change
  5012 disabled-virus-scanning configuration change
  5013 blocked-tampering intrusion_detection denied alert`);

const esent = table("102,103,105,216,300,301,302,325,326,327,330,412,700,701,2001,2003,2005,2006 used-database database access");

/** By provider, for logs that many share; what is not here has no meaning of its own. */
export const byProvider: ReadonlyMap<string, ReadonlyMap<string, Meaning>> = new Map([
  [
    "microsoft-windows-taskscheduler",
    table(`
      100,102,107,108,110,118,119,129,200,201 ran-scheduled-task process info
      101,103,111,202,203 failed-scheduled-task process error
      106 created-scheduled-task configuration creation
      140 updated-scheduled-task configuration change
      141 deleted-scheduled-task configuration deletion
      142 disabled-scheduled-task configuration change`),
  ],
  [
    "microsoft-windows-wmi-activity",
    table(`
      5857 loaded-wmi-provider process info
      5858 failed-wmi-operation process error
      5859,5860 registered-wmi-subscription configuration info
      5861 registered-wmi-consumer configuration creation`),
  ],
  [
    "microsoft-windows-terminalservices-remoteconnectionmanager",
    table("1149 authenticated-to-rdp authentication start ok\n 258,261,263,1136,1155 rdp-listener network info"),
  ],
  [
    "microsoft-windows-terminalservices-localsessionmanager",
    table(`
      21,22,25 session-started session start
      23,24,40 session-ended session end
      41,42 session-arbitrated session info`),
  ],
  [
    "microsoft-windows-remotedesktopservices-rdpcorets",
    table("131 rdp-connection network connection+start\n 68,168 rdp-negotiation network protocol+info"),
  ],
  [
    "microsoft-windows-bits-client",
    table("3 created-transfer-job network start\n 59 started-transfer network start\n 4,5,60,61,209,306,310 transferred network info"),
  ],
  ["microsoft-windows-dns-client", table("1014,3006,3008,3009,3010,3011,3016,3018,3019,3020 queried-dns network protocol+info")],
  [
    "microsoft-windows-dns-server-service",
    table("150,770,771 loaded-dns-plugin configuration change\n 6004 failed-zone-transfer network error"),
  ],
  [
    "microsoft-windows-windows firewall with advanced security",
    table(
      "2002,2003,2004,2005,2006,2008,2009,2010,2011,2032,2033,2052,2059,2060,2071,2073,2082,2083,2097,2099 changed-firewall-rule configuration change",
    ),
  ],
  [
    "microsoft-windows-applocker",
    table(
      "8002,8005,8020,8023 allowed-execution process allowed\n 8003,8006,8021,8024 audited-execution process info\n 8004,8007,8022,8025 blocked-execution process denied",
    ),
  ],
  [
    "microsoft-windows-codeintegrity",
    table("3001,3002,3003,3004,3021,3022,3023,3033,3034,3036,3077,3082,3083,3084,3089 checked-code-integrity library info"),
  ],
  [
    "microsoft-windows-ntlm",
    table("4001,4002,4003 blocked-ntlm authentication denied\n 8001,8002,8003,8004 audited-ntlm authentication info"),
  ],
  [
    "microsoft-windows-security-mitigations",
    table(
      "1,3,5,7,9,11,13,15,17,19,21,23 audited-mitigation process info\n 2,4,6,8,10,12,14,16,18,20,22,24 blocked-by-mitigation process denied",
    ),
  ],
  ["microsoft-windows-smbclient", table("30622,30624,30804,31001,31010,31017 smb-client network info")],
  ["microsoft-windows-smbserver", table("551,1009,3000,4000 smb-server network info")],
  ["microsoft-windows-ldap-client", table("30 searched-directory network info")],
  [
    "microsoft-windows-kernel-general",
    table(
      "1 changed-system-time configuration change\n 12 started-system host start\n 13 stopped-system host end\n 16 used-registry-hive registry access",
    ),
  ],
  [
    "microsoft-windows-kernel-power",
    table("41 crashed-system host error\n 42 suspended-system host change\n 109 requested-shutdown host end"),
  ],
  ["microsoft-windows-distributedcom", table("10005,10016,10028 failed-dcom-request host error")],
  [
    "msiinstaller",
    table(
      "1033,1040,1042,11707 installed-package package installation\n 1034,11724 removed-package package deletion\n 11708 failed-package package error",
    ),
  ],
  [
    "mssqlserver",
    table(
      "15281,15457,33205 changed-database-config configuration+database change\n 18453,18454,18455 logged-in authentication+database start ok\n 18456 logon-failed authentication+database start fail",
    ),
  ],
  ["esent", esent],
  ["ntds isam", esent],
  ["microsoft-windows-grouppolicy", table("1500,1501,1502,1503 applied-group-policy configuration change")],
  [
    "netlogon",
    table(
      "5723,5805,5827,5828 failed-secure-channel authentication start fail\n 5829,5830,5831 allowed-weak-secure-channel authentication start ok",
    ),
  ],
  ["application error", table("1000 crashed-application process error")],
  ["windows error reporting", table("1001 reported-crash process error")],
  ["openssh", table("4 sshd authentication info")],
  ["raccine", table("1,2 blocked-process malware info alert")],
  ["vssaudit", table("8222 created-shadow-copy file creation")],
  ["ad fs auditing", table("403,404,405,406,407,410,412,424,500,501,510,1200,1201,1202,1203 used-federation authentication info")],
]);
