/** What an operation's verb means as ECS's `event.type`, whatever service names it so. Knows no service. */

const verbs: readonly (readonly [RegExp, string])[] = [
  [/creat|insert|add|register|import|upload|generat|invit|enroll|(?:^|[._-])new/i, "creation"],
  [/delet|remov|destroy|purge|revok|terminat|unregister|deregister|uninstall|unlink/i, "deletion"],
  [
    /updat|change|modif|patch|edit|set|enabl|disabl|grant|rotat|reset|activ|assign|rename|replace|transfer|suspend|block|lock|restor|write|put|attach|start|stop/i,
    "change",
  ],
  [/get|list|read|describe|view|download|access|watch|search|export|fetch|clone|login|logon/i, "access"],
];

/** The last word of an operation is where most APIs put the verb (`google.iam.admin.v1.CreateRole`, `protected_branch.destroy`, `…/write`). */
export function typeOfOperation(operation: string): string {
  const name = operation.slice(-256);
  const last = name.slice(Math.max(name.lastIndexOf("."), name.lastIndexOf("/")) + 1);
  return typeIn(last) ?? typeIn(name) ?? "info";
}

const typeIn = (text: string): string | undefined => verbs.find(([pattern]) => pattern.test(text))?.[1];
