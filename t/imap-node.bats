#!/usr/bin/env bats
# imapflow, the IMAP client of most programs written for Node.js.

load helper

setup_file() {
	export MOX_NODE=${MOX_NODE:-/usr/local/lib/mox-test}
	have_imapflow || return 0
	start_shared_server -loglevel info
}

have_imapflow() { command -v node >/dev/null && [ -d "$MOX_NODE/node_modules/imapflow" ]; }

setup() { have_imapflow || skip 'no node or no imapflow here: make deps'; }

teardown_file() { stop_background; }

# A script on stdin; the exit status is not 0 if it throws or never ends.
js() {
	{
		echo "import { open, said, message, events, sorted, read, assert, once, ImapFlow } from '$BATS_TEST_DIRNAME/imapflow.mjs';"
		cat
	} | timeout 120 node --input-type=module -
}

@test "connect: plain, STARTTLS, TLS, each way to log in, a wrong password" {
	js <<-'EOT'
	for (const how of [{ doSTARTTLS: false }, { doSTARTTLS: true }, { secure: true, doSTARTTLS: undefined }])
		for (const loginMethod of [undefined, "LOGIN", "AUTH=LOGIN", "AUTH=PLAIN"]) {
			const c = await open({ ...how, auth: { user: "mox@localhost", pass: "moxmoxmox", loginMethod } });
			assert.ok(c.authenticated && c.usable);
			assert.equal(c.secureConnection, Boolean(how.secure || how.doSTARTTLS));
			assert.equal(c.serverInfo.name, "mox");
			assert.deepEqual(c.namespaces.personal, [{ prefix: "", delimiter: "/" }]);
			if (!how.secure && !how.doSTARTTLS)
				assert.ok(said(c, /COMPRESS DEFLATE/));
			await c.logout();
		}
	await assert.rejects(open({ auth: { user: "mox@localhost", pass: "wrong" } }),
		e => e.authenticationFailed && e.serverResponseCode === "AUTHENTICATIONFAILED");
	const c = await open({ verifyOnly: true, includeMailboxes: true });
	assert.equal(c.mailboxList.length, 6);
	EOT
}

@test "mailboxes: special use, tree, names, subscriptions, status, quota" {
	js <<-'EOT'
	const c = await open();
	const use = Object.fromEntries((await c.list()).map(m => [m.specialUse ?? m.path, m.specialUseSource]));
	assert.deepEqual(use, { "\\Inbox": "name", "\\Archive": "extension", "\\Drafts": "extension",
		"\\Junk": "extension", "\\Sent": "extension", "\\Trash": "extension" });
	for (const path of ["tree/Grüße & 日本", "tree/ab.c", "\"odd\" \\name*%"]) {
		assert.equal((await c.mailboxCreate(path)).created, true);
		assert.equal((await c.mailboxCreate(path)).created, false);
		const found = (await c.list({ statusQuery: { messages: true, unseen: true, size: true, uidNext: true, uidValidity: true, highestModseq: true } }))
			.find(m => m.path === path);
		assert.ok(found?.subscribed, path);
		assert.equal(found.status.messages, 0);
		await c.append(path, message("m"), ["\\Seen"]);
		await c.append(path, message("m"));
		const status = await c.status(path, { messages: true, unseen: true, size: true, uidNext: true, uidValidity: true, highestModseq: true, deleted: true });
		assert.deepEqual([status.messages, status.unseen, status.size, status.uidNext, status.deleted],
			[2, 1, 2 * message("m").length, 3, 0]);
		assert.ok(status.highestModseq > found.status.highestModseq);
		assert.equal(status.uidValidity, found.status.uidValidity);
		assert.equal((await c.mailboxOpen(path)).exists, 2);
	}
	const tree = (await c.listTree()).folders.find(f => f.name === "tree");
	assert.deepEqual(tree.folders.map(f => f.name).sort(), ["Grüße & 日本", "ab.c"].sort());
	await c.mailboxRename("tree", "moved/tree");
	await c.mailboxUnsubscribe("moved/tree/ab.c");
	assert.ok(!(await c.list()).find(m => m.path === "moved/tree/ab.c").subscribed);
	await c.mailboxSubscribe("moved/tree/ab.c");
	assert.equal((await c.list()).find(m => m.path === "moved/tree/ab.c").subscribed, true);
	await assert.rejects(c.mailboxDelete("moved/tree"), e => e.serverResponseCode === "HASCHILDREN");
	for (const path of ["moved/tree/ab.c", "moved/tree/Grüße & 日本", "moved/tree", "moved", "\"odd\" \\name*%"])
		await c.mailboxDelete(path);
	assert.equal((await c.list()).length, 6);
	await assert.rejects(c.mailboxOpen("moved"), e => e.mailboxMissing === true);
	assert.equal((await c.getQuota("INBOX")).path, "INBOX");
	await c.logout();
	EOT
}

# As a new client is, as older ones are, and with as little as can be.
messages() {
	BOX=$1 OPTIONS=$2 js <<-'EOT'
	const options = JSON.parse(process.env.OPTIONS), box = process.env.BOX;
	const c = await open(options), d = await open({ disableCompression: true });
	await c.mailboxCreate(box);
	await c.mailboxCreate(box + "/kept");
	const when = new Date("2024-02-29T12:34:56Z");
	for (let i = 1; i <= 50; i++) {
		const a = await c.append(box, message(`number ${i}`), i % 2 ? ["\\Seen", "Work"] : [], when);
		assert.equal(a.uid, i);
	}
	const lock = await c.getMailboxLock(box);
	assert.equal(c.mailbox.exists, 50);
	assert.ok(c.mailbox.permanentFlags.has("\\*"));
	let n = 0;
	for await (const m of c.fetch("1:*", { uid: true, flags: true, envelope: true, internalDate: true, size: true, bodyStructure: true, headers: ["subject"], threadId: true })) {
		n++;
		assert.equal(m.uid, n);
		assert.equal(m.envelope.subject, `number ${n}`);
		assert.deepEqual(m.envelope.from, [{ name: "A", address: "a@example.org" }]);
		assert.equal(m.internalDate.getTime(), when.getTime());
		assert.equal(m.size, message(`number ${n}`).length);
		assert.equal(m.bodyStructure.type, "text/plain");
		assert.equal(m.headers.toString().trim(), `Subject: number ${n}`);
		assert.deepEqual(sorted(m.flags), n % 2 ? ["Work", "\\Seen"] : []);
		assert.ok(m.id && m.emailId && m.threadId);
	}
	assert.equal(n, 50);
	const one = await c.fetchOne("7", { source: true }, { uid: true });
	assert.equal(one.source.toString(), message("number 7"));
	assert.equal(await c.fetchOne("70", { source: true }, { uid: true }), false);
	// Search, with what ESEARCH adds.
	assert.deepEqual(await c.search({ seen: false, subject: "number 4" }, { uid: true }), [4, 40, 42, 44, 46, 48]);
	assert.deepEqual(await c.search({ or: [{ uid: "1:2" }, { keyword: "work", larger: 100, header: { "message-id": "%205@" } }] }), [1, 2, 5]);
	assert.deepEqual(await c.search({ not: { since: "2024-02-29" } }), []);
	assert.deepEqual(await c.search({ subject: "grüße" }), []);
	const e = await c.search({ seen: true }, { uid: true, returnOptions: ["MIN", "MAX", "COUNT"] });
	assert.deepEqual([e.min, e.max, e.count], [1, 49, 25]);
	// Flags, also where another has changed them.
	assert.ok(await c.messageFlagsAdd({ uid: "2:4" }, ["\\Flagged", "$Label1"]));
	assert.ok(await c.messageFlagsRemove("3", ["Work"], { uid: true }));
	assert.ok(await c.messageFlagsSet("5", ["\\Answered"], { uid: true }));
	assert.ok(await c.setFlagColor("6", "purple", { uid: true }));
	const flags = (await c.fetchAll("2:6", { flags: true })).map(m => sorted(m.flags).join(" "));
	assert.deepEqual(flags, ["$Label1 \\Flagged", "$Label1 \\Flagged \\Seen", "$Label1 \\Flagged", "\\Answered",
		"$MailFlagBit0 $MailFlagBit2 \\Flagged"]);
	await d.mailboxOpen(box);
	const { modseq } = await c.fetchOne("5", { flags: true });
	await d.messageFlagsAdd("5", ["\\Flagged"]);
	if (!options.disableAutoEnable)
		await c.messageFlagsSet("5", [], { unchangedSince: modseq });
	assert.deepEqual(sorted((await c.fetchOne("5", { flags: true })).flags), ["\\Answered", "\\Flagged"]);
	// Copy, move, delete: the maps of UIDs, and that the others are told.
	const gone = events(d, "expunge");
	const copied = await c.messageCopy("10:12,20", box + "/kept", { uid: true });
	assert.deepEqual([...copied.uidMap], [[10, 1], [11, 2], [12, 3], [20, 4]]);
	const moved = await c.messageMove("11:13", box + "/kept", { uid: true });
	assert.deepEqual([...moved.uidMap], [[11, 5], [12, 6], [13, 7]]);
	assert.equal(await c.messageDelete({ seen: false, uid: "1:20" }, { uid: true }), true);
	assert.equal(c.mailbox.exists, 50 - 3 - 10);
	await d.noop();
	assert.equal(gone.length, 13);
	assert.equal(d.mailbox.exists, 37);
	assert.equal(await c.messageCopy("1", "no such"), false);
	lock.release();
	const kept = await c.mailboxOpen(box + "/kept", { readOnly: true });
	assert.equal(kept.readOnly, true);
	assert.deepEqual((await c.fetchAll("1:*", { envelope: true })).map(m => m.envelope.subject.slice(7)),
		["10", "11", "12", "20", "11", "12", "13"]);
	await c.logout();
	await d.logout();
	EOT
}

@test "messages: append, fetch, search, flags, copy, move, delete; IMAP4rev2 over TLS" {
	messages rev2 '{"secure": true, "qresync": true}'
}
@test "messages, IMAP4rev1 with COMPRESS" { messages rev1 '{"disableIMAP4rev2": true}'; }
@test "messages, without ENABLE, BINARY, COMPRESS" {
	messages bare '{"disableIMAP4rev2": true, "disableAutoEnable": true, "disableBinary": true, "disableCompression": true}'
}

@test "download: text in its charset, attachments, pieces, many, 3 MB" {
	js <<-'EOT'
	import { randomBytes } from "node:crypto";
	const file = randomBytes(3 << 20);
	const lines = file.toString("base64").replace(/.{76}/g, "$&\r\n");
	const mail = message("parts",
		"--b\r\nContent-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nGr=FC=DFe =\r\nan alle\r\n" +
		"--b\r\nContent-Type: application/octet-stream\r\nContent-Disposition: attachment; filename*=utf-8''gr%C3%BC%C3%9Fe.bin\r\n" +
		`Content-Transfer-Encoding: base64\r\n\r\n${lines}\r\n` +
		"--b\r\nContent-Type: message/rfc822\r\n\r\nFrom: <i@example.org>\r\nSubject: =?utf-8?q?inn=C3=A9r?=\r\n" +
		"Content-Type: multipart/alternative; boundary=c\r\n\r\n--c\r\n\r\nplain\r\n--c\r\nContent-Type: text/html\r\n\r\n<b>html</b>\r\n--c--\r\n--b--\r\n",
		"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n");
	for (const options of [{}, { disableBinary: true }, { secure: true, disableIMAP4rev2: true }]) {
		const c = await open(options);
		const { uid } = await c.append("INBOX", mail);
		await c.mailboxOpen("INBOX");
		const { bodyStructure: b } = await c.fetchOne(`${uid}`, { bodyStructure: true }, { uid: true });
		assert.deepEqual(b.childNodes.map(p => [p.part, p.type]),
			[["1", "text/plain"], ["2", "application/octet-stream"], ["3", "message/rfc822"]]);
		assert.equal(b.childNodes[2].envelope.subject, "innér");
		assert.equal(b.childNodes[2].childNodes[0].childNodes?.[1]?.part ?? b.childNodes[2].childNodes[1].part, "3.2");
		for (const binary of [false, true]) {
			const text = await c.download(`${uid}`, "1", { uid: true, binary });
			assert.equal((await read(text.content)).toString(), "Grüße an alle");
			const got = await c.download(`${uid}`, "2", { uid: true, binary });
			assert.equal(got.meta.filename, "grüße.bin");
			assert.ok((await read(got.content)).equals(file));
			const piece = await c.download(`${uid}`, "2", { uid: true, binary, maxBytes: 1000, chunkSize: 100 });
			const bytes = await read(piece.content);
			assert.ok(bytes.equals(file.subarray(0, bytes.length)) && bytes.length >= 700 && bytes.length <= 1000, bytes.length);
			const many = await c.downloadMany(`${uid}`, ["1", "3.1", "3.2"], { uid: true, binary });
			assert.equal(many["3.2"].content.toString(), "<b>html</b>");
			assert.equal(many["3.1"].content.toString(), "plain");
		}
		assert.equal((await read((await c.download(`${uid}`, undefined, { uid: true })).content)).toString("latin1"), mail);
		await assert.rejects(c.download(`${uid}`, "9", { uid: true }), e => /no such part/.test(e.responseText));
		await c.messageDelete(`${uid}`, { uid: true });
		await c.logout();
	}
	EOT
}

@test "IDLE: exists, flags, expunge, and IDLE again after other commands" {
	js <<-'EOT'
	for (const options of [{ qresync: true }, { disableIMAP4rev2: true }]) {
		const c = await open({ ...options, disableAutoIdle: false, autoIdleDelay: 10 }), d = await open();
		await d.mailboxCreate("idle");
		await c.mailboxOpen("idle");
		await d.mailboxOpen("idle");
		const exists = events(c, "exists"), flags = events(c, "flags"), gone = events(c, "expunge");
		for (let i = 1; i <= 3; i++) {
			while (!c.idling)
				await new Promise(r => setTimeout(r, 5));
			const { uid } = await d.append("idle", message(`m${i}`));
			await exists.until(i);
			assert.equal(exists[i - 1].count, 1);
			assert.equal((await c.fetchOne("*", { envelope: true })).envelope.subject, `m${i}`);
			flags.length = 0;
			await d.messageFlagsAdd("1", ["\\Flagged"]);
			await flags.until(1);
			assert.deepEqual([flags[0].seq, sorted(flags[0].flags)], [1, ["\\Flagged"]]);
			await d.messageDelete("1");
			await gone.until(i);
			assert.equal(gone[i - 1].vanished, Boolean(options.qresync));
			assert.equal(gone[i - 1][options.qresync ? "uid" : "seq"], options.qresync ? uid : 1);
		}
		await d.mailboxClose();
		await c.mailboxClose();
		await d.mailboxDelete("idle");
		await d.logout();
		await c.logout();
	}
	EOT
}

@test "QRESYNC: a client that was away is told flags and what has vanished" {
	js <<-'EOT'
	let c = await open({ qresync: true });
	const d = await open();
	await d.mailboxCreate("away");
	for (let i = 1; i <= 20; i++)
		await d.append("away", message(`m${i}`));
	const { highestModseq, uidValidity } = await c.mailboxOpen("away");
	assert.ok(c.enabled.has("QRESYNC") && c.enabled.has("CONDSTORE"));
	await c.logout();
	await d.mailboxOpen("away");
	await d.messageFlagsAdd("3,5", ["\\Seen"], { uid: true });
	await d.messageDelete("7:9,20", { uid: true });
	await d.append("away", message("new"));
	c = await open({ qresync: true });
	const flags = events(c, "flags"), gone = events(c, "expunge");
	const box = await c.mailboxOpen("away", { changedSince: highestModseq, uidValidity });
	assert.deepEqual(gone.map(e => [e.uid, e.earlier]), [7, 8, 9, 20].map(uid => [uid, true]));
	assert.deepEqual(flags.map(e => e.uid), [3, 5, 21]);
	assert.ok(box.highestModseq > highestModseq && box.exists === 17);
	assert.deepEqual((await c.fetchAll("1:*", { flags: true }, { changedSince: highestModseq })).map(m => m.uid), [3, 5, 21]);
	assert.deepEqual((await c.search({ modseq: highestModseq + 1n }, { uid: true })), [3, 5, 21]);
	await c.logout();
	await d.logout();
	EOT
}

@test "locks take turns; twenty clients in one mailbox agree" {
	js <<-'EOT'
	const c = await open();
	const order = [];
	await Promise.all(["INBOX", "Sent", "INBOX", "Trash"].map(async (path, i) => {
		const lock = await c.getMailboxLock(path);
		try {
			assert.equal(c.mailbox.path, path);
			await c.append(path, message(`lock ${i}`));
			assert.ok((await c.search({ subject: `lock ${i}` })).length === 1);
			order.push(i);
		} finally {
			lock.release();
		}
	}));
	assert.deepEqual([...order].sort(), [0, 1, 2, 3]);
	await c.mailboxCreate("crowd");
	const crowd = await Promise.all(Array.from({ length: 20 }, (_, i) => open({ qresync: i % 2 === 0, disableIMAP4rev2: i % 3 === 0 })));
	await Promise.all(crowd.map(async (m, i) => {
		await m.mailboxOpen("crowd");
		for (let n = 0; n < 5; n++) {
			const { uid } = await m.append("crowd", message(`${i} ${n}`));
			await m.messageFlagsAdd(`${uid}`, [`k${i}`], { uid: true });
			if (n % 2)
				assert.equal(await m.messageDelete(`${uid}`, { uid: true }), true);
		}
	}));
	const views = await Promise.all(crowd.map(async m => {
		await m.noop();
		assert.equal(m.mailbox.exists, 60);
		return JSON.stringify((await m.fetchAll("1:*", { flags: true })).map(x => [x.seq, x.uid, sorted(x.flags)]));
	}));
	assert.equal(new Set(views).size, 1);
	await Promise.all(crowd.map(m => m.logout()));
	await c.logout();
	EOT
}

@test "the server stops and starts while a client waits: BYE, and all is there again" {
	DIR=$BATS_TEST_TMPDIR/mox IP=$(own_ip)
	start_server -loglevel info
	js <<-'EOT' 3>&- &
	import { writeFileSync } from "node:fs";
	const c = await open({ disableAutoIdle: false, autoIdleDelay: 10 });
	await c.mailboxCreate("stay");
	await c.append("stay", message("before"), ["Kept"]);
	const { uidValidity } = await c.mailboxOpen("stay");
	while (!c.idling)
		await new Promise(r => setTimeout(r, 5));
	const closed = once(c, "close");
	writeFileSync(process.env.DIR + "/waits", "");
	await closed;
	assert.equal(c.byeReason !== undefined && c.usable, false);
	assert.equal(c.idlingAtClose, true);
	assert.equal(c.closedByClient, false);
	let again;
	for (const end = Date.now() + 60000; !again && Date.now() < end;)
		again = await open().catch(() => new Promise(r => setTimeout(r, 50)));
	const box = await again.mailboxOpen("stay");
	assert.equal(box.uidValidity, uidValidity);
	assert.deepEqual(sorted((await again.fetchOne("1", { flags: true })).flags), ["Kept"]);
	await again.logout();
	EOT
	local client=$!
	eventually test -e "$DIR/waits"
	stop_server
	BACKGROUND_PIDS=
	start_server -loglevel info
	local rc=0
	wait $client || rc=$?
	stop_background
	return $rc
}
