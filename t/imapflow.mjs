// What the tests with imapflow (npm) share. t/deps installs it outside of the
// tree, where `import` does not look.
import { strict as assert } from "node:assert";
import { once } from "node:events";
import { createRequire } from "node:module";

const require = createRequire(process.env.MOX_NODE + "/");
export const { ImapFlow } = require("imapflow");
export { assert, once };

const tls = { rejectUnauthorized: false };

// A client that is logged in, plain on port 1143 if nothing else is said.
// `said` has the lines as they were on the wire.
export async function open(options = {}) {
	const c = new ImapFlow({
		host: process.env.IP, port: options.secure ? 1993 : 1143,
		secure: false, doSTARTTLS: false, disableAutoIdle: true, tls,
		auth: { user: "mox@localhost", pass: "moxmoxmox" },
		logger: quiet, emitLogs: true, ...options });
	c.said = [];
	c.on("log", entry => {
		if (entry.src === "s" || entry.src === "c")
			c.said.push(`${entry.src}: ${entry.msg}`);
	});
	c.on("error", () => {}); // the close that follows is what counts
	await c.connect();
	return c;
}

const quiet = { trace() {}, debug() {}, info() {}, warn() {}, error() {} };

// Was there such a line? A test that believes a feature was used looks here.
export const said = (c, pattern) => c.said.some(line => pattern.test(line));

export function message(subject, body = "It works.\r\n", extra = "") {
	return "From: A <a@example.org>\r\nTo: <mox@localhost>\r\n" +
		`Subject: ${subject}\r\nMessage-Id: <${encodeURIComponent(subject)}@example.org>\r\n` +
		`Date: Sat, 21 Nov 2026 07:00:00 +0000\r\n${extra}\r\n${body}`;
}

// Collect the events of that name; `until(n)` waits for the nth.
export function events(c, name) {
	const got = [];
	c.on(name, e => got.push(e));
	got.until = async n => {
		while (got.length < n)
			await once(c, name, { signal: AbortSignal.timeout(30000) });
		return got;
	};
	return got;
}

export const sorted = set => [...set].sort();

// `await read(stream)`: all of it, as a Buffer.
export async function read(stream) {
	const pieces = [];
	for await (const piece of stream)
		pieces.push(piece);
	return Buffer.concat(pieces);
}
