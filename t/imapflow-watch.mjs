// imapflow-watch MAILBOX FILE QRESYNC: knows a mailbox by what it is told while
// it idles. FILE.ready appears; when there is FILE.end, what it knows is put
// into FILE, a line "SUBJECT FLAGS" a message.
import { existsSync, writeFileSync } from "node:fs";
import { open, assert } from "./imapflow.mjs";

const [mailbox, file, qresync] = process.argv.slice(2);
const c = await open({ qresync: qresync === "true", disableAutoIdle: false, autoIdleDelay: 20 });
const known = [];

c.on("flags", e => {
	if (known[e.seq - 1])
		known[e.seq - 1].flags = e.flags;
});
c.on("expunge", e => {
	const at = e.vanished ? known.findIndex(m => m.uid === e.uid) : e.seq - 1;
	if (at >= 0)
		known.splice(at, 1);
});

// By number: while that runs, and until the next command, nothing is removed.
// NOOP ends IDLE, after which numbers are as they were told until then.
async function takeNew() {
	await c.noop();
	if (known.length < c.mailbox.exists)
		// What others changed or added meanwhile comes among them.
		for (const m of await c.fetchAll(`${known.length + 1}:*`, { uid: true, flags: true, envelope: true }))
			if (m.envelope || known[m.seq - 1])
				known[m.seq - 1] = { ...known[m.seq - 1], ...m };
}

await c.mailboxOpen(mailbox);
writeFileSync(file + ".ready", "");
while (!existsSync(file + ".end")) {
	await takeNew();
	await new Promise(r => setTimeout(r, 100));
}
await takeNew();
assert.equal(known.length, c.mailbox.exists);
writeFileSync(file, known.map(m => [m.envelope.subject, ...[...m.flags].sort()].join(" ") + "\n").join(""));
await c.logout();
