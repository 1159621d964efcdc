/*
 * Each way a configuration can be wrong, with the message and line told. The
 * rows change one place of a good pair of files.
 */
#include "t/broken.h"

static const struct broken rows[] = {
	{ "good", M, "", "", "" },

	/* ---- mox.conf ---- */
	{ "level", M, "info", "loud",
	    M "2: LogLevel: must be error, warn, info, debug, trace, "
	      "traceauth or tracedata, not \"loud\"\n" },
	{ "hostname", M, "mail.example.org", "mail..org",
	    M "3: Hostname: must be a domain without trailing dot, not "
	      "\"mail..org\"\n" },
	{ "hostname as A-label", M, "mail.example.org", "xn--bcher-kva.example",
	    M "3: Hostname: must be a domain in unicode form, without xn--, "
	      "not \"xn--bcher-kva.example\"\n" },
	{ "no host name", M, "Hostname: mail.example.org\n", "",
	    "config/mox.conf: Hostname: required field is missing\n" },
	{ "ACME URL", M, "https://acme.example/dir", "acme.example",
	    M "6: DirectoryURL: must be a URL with http or https, not "
	      "\"acme.example\"\n" },
	{ "ACME contact", M, "mjl@example.org", "mjl",
	    M "7: ContactEmail: must be an address, localpart@domain, not "
	      "\"mjl\"\n" },
	{ "ACME port", M, "\t\tContactEmail:",
	    "\t\tPort: 70000\n"
	    "\t\tContactEmail:",
	    M "7: Port: must be 1 to 65535, not \"70000\"\n" },
	{ "ACME time", M, "\t\tContactEmail:",
	    "\t\tRenewBefore: 30d\n"
	    "\t\tContactEmail:",
	    M "7: RenewBefore: must be a duration such as 72h, 1h30m or 15s, "
	      "not \"30d\"\n" },
	{ "no listeners", M, "Listeners:", "Listener:",
	    "config/mox.conf: Listeners: required field is missing\n" M
	    "8: unknown key \"Listener\"\n" D
	    "14: MTASTS: needs a listener with MTASTSHTTPS in mox.conf\n" D
	    "39: WebDomainRedirects: needs a listener with WebserverHTTP or "
	    "WebserverHTTPS in mox.conf\n" D
	    "41: WebHandlers: needs a listener with WebserverHTTP or "
	    "WebserverHTTPS in mox.conf\n" },
	{ "IP", M, "192.0.2.1", "192.0.2.256",
	    M "11: IPs: must be an IP address, not \"192.0.2.256\"\n" },
	{ "loopback NATIPs", M, "198.51.100.1", "::1",
	    M "13: NATIPs: must be a public address, not \"::1\"\n" },
	{ "IPsNATed", M, "\t\tTLS:", "\t\tIPsNATed: true\n\t\tTLS:",
	    M "14: IPsNATed: cannot be used together with NATIPs\n" },
	{ "unknown ACME", M, "ACME: le", "ACME: zerossl",
	    M "15: ACME: there is no provider \"zerossl\"\n" },
	{ "ACME and certificates", M, "\t\tSMTP:",
	    "\t\t\tKeyCerts:\n\t\t\t\t-\n\t\t\t\t\tCertFile: a\n"
	    "\t\t\t\t\tKeyFile: b\n\t\tSMTP:",
	    M "15: ACME: cannot be used together with KeyCerts\n" },
	{ "neither", M, "ACME: le", "MinVersion: TLSv1.3",
	    M "14: TLS: needs ACME or KeyCerts\n" },
	{ "TLS version", M, "\t\tSMTP:", "\t\t\tMinVersion: 1.2\n\t\tSMTP:",
	    M "16: MinVersion: must be TLSv1.0, TLSv1.1, TLSv1.2 or TLSv1.3, "
	      "not \"1.2\"\n" },
	{ "SMTP without TLS", M, "\t\tAccountHTTP:",
	    "\t\tSMTP:\n\t\t\tEnabled: true\n\t\tAccountHTTP:",
	    M "27: SMTP: needs TLS in listener \"internal\", or "
	      "NoSTARTTLS\n" },
	{ "SMTP with NoSTARTTLS", M, "\t\tAccountHTTP:",
	    "\t\tSMTP:\n\t\t\tEnabled: true\n\t\t\tNoSTARTTLS: true\n"
	    "\t\tAccountHTTP:",
	    "" },
	{ "disabled without TLS", M, "\t\tAccountHTTP:",
	    "\t\tIMAPS:\n\t\t\tEnabled: false\n\t\tAccountHTTP:", "" },
	{ "IMAPS without TLS", M, "\t\tAccountHTTP:",
	    "\t\tIMAPS:\n\t\t\tEnabled: true\n\t\tAccountHTTP:",
	    M "27: IMAPS: needs TLS in listener \"internal\"\n" },
	{ "Submissions without TLS", M, "\t\tAccountHTTP:",
	    "\t\tSubmissions:\n\t\t\tEnabled: true\n\t\tAccountHTTP:",
	    M "27: Submissions: needs TLS in listener \"internal\"\n" },
	{ "Submission without TLS", M, "\t\tAccountHTTP:",
	    "\t\tSubmission:\n\t\t\tEnabled: true\n\t\tAccountHTTP:",
	    M "27: Submission: needs TLS in listener \"internal\", or "
	      "NoRequireSTARTTLS\n" },
	{ "IMAP without TLS", M, "\t\tAccountHTTP:",
	    "\t\tIMAP:\n\t\t\tEnabled: true\n\t\tAccountHTTP:",
	    M "27: warning: IMAP: nobody can log in without TLS or "
	      "NoRequireSTARTTLS\n" },
	{ "AccountHTTPS without TLS", M,
	    "\t\tAccountHTTP:", "\t\tAccountHTTPS:",
	    M "27: AccountHTTPS: needs TLS in listener "
	      "\"internal\"\n" },
	{ "AdminHTTPS without TLS", M, "\t\tAccountHTTP:", "\t\tAdminHTTPS:",
	    M "27: AdminHTTPS: needs TLS in listener \"internal\"\n" },
	{ "AutoconfigHTTPS without TLS", M,
	    "\t\tAccountHTTP:", "\t\tAutoconfigHTTPS:",
	    M "27: AutoconfigHTTPS: needs TLS in listener \"internal\", or "
	      "NonTLS\n" },
	{ "WebserverHTTPS without TLS", M,
	    "\t\tAccountHTTP:", "\t\tWebserverHTTPS:",
	    M "27: WebserverHTTPS: needs TLS in listener \"internal\"\n" },
	{ "NonTLS differs", M,
	    "\t\tMTASTSHTTPS:", "\t\tMTASTSHTTPS:\n\t\t\tNonTLS: true",
	    M "20: MTASTSHTTPS: on the same port as AutoconfigHTTPS, NonTLS "
	      "must be the same\n" },
	{ "service without Enabled", M, "\t\t\tEnabled: true\n\t\tAutoconfig",
	    "\t\t\tPort: 25\n\t\tAutoconfig",
	    M "16: Enabled: required field is missing\n" },
	{ "path", M, "\t\tAccountHTTP:", "\t\tAccountHTTP:\n\t\t\tPath: x/",
	    M "28: Path: must begin with /, not \"x/\"\n" },
	{ "path without slash", M,
	    "\t\tAccountHTTP:", "\t\tAccountHTTP:\n\t\t\tPath: /x",
	    M "28: warning: Path: \"/x\" should end with /\n" },
	{ "PROXY", M, "\t\tAccountHTTP:",
	    "\t\tProxyProtocolFrom:\n\t\t\t- 10.0.0.0/33\n\t\tAccountHTTP:",
	    M "28: ProxyProtocolFrom: must be an IP address or a prefix such "
	      "as 10.0.0.0/8, not \"10.0.0.0/33\"\n" },
	{ "message size", M, "\t\tAccountHTTP:",
	    "\t\tSMTPMaxMessageSize: 10MB\n\t\tAccountHTTP:",
	    M "27: SMTPMaxMessageSize: must be a number, not \"10MB\"\n" },
	{ "postmaster account", M, "Account: mjl\n\tMailbox: Post",
	    "Account: root\n\tMailbox: Post",
	    M "30: Postmaster: there is no account \"root\" in "
	      "domains.conf\n" },
	{ "postmaster mailbox", M, "Mailbox: Postmaster", "Mailbox: /Post",
	    M "31: Mailbox: must be a mailbox, with / between levels, not "
	      "\"/Post\"\n" },
	{ "mailbox not in NFC", M, "Mailbox: Postmaster",
	    "Mailbox: Cafe\xcc\x81",
	    M "31: Mailbox: must be in Unicode normal form C, not "
	      "\"Cafe\xcc\x81\"\n" },
	{ "no postmaster", M,
	    "Postmaster:\n\tAccount: mjl\n"
	    "\tMailbox: Postmaster\n",
	    "", "config/mox.conf: Postmaster: required field is missing\n" },
	{ "host report localpart", M, "Localpart: tls", "Localpart: t\xc3\xa4s",
	    M "35: Localpart: must be the localpart of an address, in ASCII, "
	      "not \"t\xc3\xa4sreports\"\n" },
	{ "Inbox at start", M, "- Lists", "- INBOX",
	    M "38: Regular: must be another mailbox than Inbox, not "
	      "\"INBOX\"\n" },
	{ "below Inbox at start", M, "- Lists", "- Inbox/x",
	    M "38: Regular: must not be below Inbox, not \"Inbox/x\"\n" },
	{ "both lists of mailboxes", M,
	    "Transports:", "DefaultMailboxes:\n\t- Sent\nTransports:",
	    M "39: DefaultMailboxes: cannot be used together with "
	      "InitialMailboxes\n" },
	{ "two methods", M, "\t\tDirect:",
	    "\t\tFail:\n\t\t\tSMTPCode: 450\n"
	    "\t\tDirect:",
	    M "40: Transports: \"t\" has 2 methods, only one is allowed\n" },
	{ "direct over nothing", M, "DisableIPv6: true",
	    "DisableIPv6: true\n\t\t\tDisableIPv4: true",
	    M "41: Direct: DisableIPv4 and DisableIPv6 leave nothing\n" },
	{ "Fail code", M, "\t\tDirect:\n\t\t\tDisableIPv6: true",
	    "\t\tFail:\n\t\t\tSMTPCode: 250",
	    M "42: SMTPCode: must be 400 to 599, not \"250\"\n" },
	{ "Fail text", M, "\t\tDirect:\n\t\t\tDisableIPv6: true",
	    "\t\tFail:\n\t\t\tSMTPMessage: na\xc3\xafve",
	    M "42: SMTPMessage: must be at most 256 characters of printable "
	      "ASCII, not \"na\xc3\xafve\"\n" },
	{ "SOCKS", M, "\t\tDirect:\n\t\t\tDisableIPv6: true",
	    "\t\tSocks:\n\t\t\tAddress: 127.0.0.1\n\t\t\tRemoteIPs:\n"
	    "\t\t\t\t- 192.0.2.7\n\t\t\tRemoteHostname: out.example.org",
	    M "42: Address: must be host:port, not \"127.0.0.1\"\n" },
	{ "mechanism", M, "\t\tDirect:\n\t\t\tDisableIPv6: true",
	    "\t\tSMTP:\n\t\t\tHost: h.example\n\t\t\tAuth:\n"
	    "\t\t\t\tUsername: u\n\t\t\t\tPassword: p\n"
	    "\t\t\t\tMechanisms:\n\t\t\t\t\t- LOGIN",
	    M "47: Mechanisms: must be SCRAM-SHA-256-PLUS, SCRAM-SHA-256, "
	      "SCRAM-SHA-1-PLUS, SCRAM-SHA-1, CRAM-MD5 or PLAIN, not "
	      "\"LOGIN\"\n" },
	{ "limits", M, "Transports:", "Limits:\n\tConnections: -1\nTransports:",
	    M "40: Connections: must not be negative, not \"-1\"\n" },

	/* ---- domains ---- */
	{ "domain as A-label", D, "other.example: nil",
	    "xn--bcher-kva.example: nil",
	    D "23: Domains: must be a domain in unicode form, without xn--, "
	      "not \"xn--bcher-kva.example\"\n" D
	      "33: Destinations: the domain of \"@other.example\" is none of "
	      "Domains\n" },
	{ "domain in upper case", D, "\tother.example", "\tOther.Example",
	    D "23: Domains: \"Other.Example\" must be written "
	      "\"other.example\"\n" },
	{ "domain twice", D, "\tother.example: nil",
	    "\tother.example: nil\n\tother.example: nil",
	    D "24: Domains: duplicate key \"other.example\"\n" },
	{ "both separators", D, "\t\tDKIM:",
	    "\t\tLocalpartCatchallSeparators:\n\t\t\t- -\n\t\tDKIM:",
	    D "3: LocalpartCatchallSeparator: cannot be used together with "
	      "LocalpartCatchallSeparators\n" },
	{ "separator twice", D, "Separator: +",
	    "Separators:\n\t\t\t- +\n\t\t\t- +",
	    D "5: LocalpartCatchallSeparators: \"+\" twice\n" },
	{ "separator", D, "Separator: +", "Separator: @",
	    D "3: LocalpartCatchallSeparator: must be a character such as + "
	      "or -, not \"@\"\n" },
	{ "no such selector", D, "- s1", "- s2",
	    D "9: Sign: there is no selector \"s2\"\n" },
	{ "From not signed", D,
	    "\t\t\tSign:", "\t\t\t\t\tHeaders:\n\t\t\t\t\t\t- To\n\t\t\tSign:",
	    D "8: Headers: From must be one of them\n" },
	{ "Received signed", D, "\t\t\tSign:",
	    "\t\t\t\t\tHeaders:\n\t\t\t\t\t\t- from\n\t\t\t\t\t\t- received\n"
	    "\t\t\tSign:",
	    D "10: warning: Headers: Received should not be signed\n" },
	{ "hash", D, "\t\t\tSign:", "\t\t\t\t\tHash: md5\n\t\t\tSign:",
	    D "8: Hash: must be sha256 or sha1, not \"md5\"\n" },
	{ "no key", D, "\t\t\t\t\tPrivateKeyFile: s1.pem",
	    "\t\t\t\t\tExpiration: 72h",
	    D "6: PrivateKeyFile: required field is missing\n" },
	{ "DMARC localpart", D, "dmarcreports", "dm@rc",
	    D "11: Localpart: must be the localpart of an address, in ASCII, "
	      "not \"dm@rc\"\n" },
	{ "DMARC account", D, "Account: mjl", "Account: nobody",
	    D "12: DMARC: there is no account \"nobody\" in domains.conf\n" },
	{ "DMARC domain", D, "\t\t\tAccount: mjl",
	    "\t\t\tDomain: reports.example\n\t\t\tAccount: mjl",
	    D "12: DMARC: Domain \"reports.example\" is none of Domains\n" },
	{ "reports over an address", D, "dmarcreports", "anna",
	    D "11: warning: \"anna@example.org\" gets reports: what else is "
	      "said of this address has no effect\n" },
	{ "policy id", D, "PolicyID: 1", "PolicyID: 2024-01",
	    D "15: PolicyID: must be 1 to 32 letters and digits, not "
	      "\"2024-01\"\n" },
	{ "policy mode", D, "enforce", "strict",
	    D "16: Mode: must be enforce, testing or none, not "
	      "\"strict\"\n" },
	{ "policy MX", D, "MaxAge: 24h",
	    "MaxAge: 24h\n\t\t\tMX:\n\t\t\t\t- *.*.example",
	    D "19: MX: must be a host name or *.domain, not "
	      "\"*.*.example\"\n" },
	{ "policy not served", M, "\t\tMTASTSHTTPS:\n\t\t\tEnabled: true",
	    "\t\tMTASTSHTTPS:\n\t\t\tEnabled: false",
	    D "14: MTASTS: needs a listener with MTASTSHTTPS in mox.conf\n" },

	/* ---- aliases ---- */
	{ "alias localpart", D, "\tteam:", "\tte am:",
	    D "19: Aliases: must be the localpart of an address, not "
	      "\"te am\"\n" },
	{ "alias with separator", D, "\tteam:", "\ttea+m:",
	    D "19: \"tea+m\" has the separator \"+\" of its domain\n" },
	{ "alias is an address", D, "\tteam:", "\tAnna:",
	    D "19: \"Anna\" belongs to account \"anna\" already\n" },
	{ "alias twice", D, "\tother.example",
	    "\t\t\tTEAM:\n\t\t\t\tAddresses:\n\t\t\t\t\t- mjl@example.org\n"
	    "\tother.example",
	    D "23: \"TEAM\" is the alias \"team\" already\n" },
	{ "member elsewhere", D, "- anna@example.org", "- anna@other.org",
	    D "22: Addresses: \"anna@other.org\" is no address of an "
	      "account\n" },
	{ "member is an alias", D, "- anna@example.org", "- team@example.org",
	    D "22: Addresses: \"team@example.org\" is no address of an "
	      "account\n" },
	{ "member twice", D, "- anna@example.org", "- MJL@example.org",
	    D "22: Addresses: \"MJL@example.org\" twice\n" },
	{ "no members", D,
	    "\n\t\t\t\t\t- mjl@example.org\n\t\t\t\t\t- anna@example.org", "",
	    D "19: Addresses: an alias needs at least one member\n" D
	      "20: Addresses: expected indented lines below\n" },

	/* ---- accounts ---- */
	{ "account name", D, "\tanna:\n", "\tan/na:\n",
	    D "35: Accounts: must be a name of at most 128 bytes without / "
	      "and @, not beginning with a dot, not \"an/na\"\n" },
	{ "address twice", D, "anna@example.org: nil", "mjl@example.org: nil",
	    D "22: Addresses: \"anna@example.org\" is no address of an "
	      "account\n" D
	      "38: \"mjl@example.org\" belongs to account \"mjl\" "
	      "already\n" },
	{ "address twice in other case", D, "anna@example.org: nil",
	    "anna@example.org: nil\n\t\t\tMjl@example.org: nil",
	    D "39: \"Mjl@example.org\" belongs to account \"mjl\" "
	      "already\n" },
	{ "address with separator", D, "anna@example.org: nil",
	    "anna@example.org: nil\n\t\t\ta+b@example.org: nil",
	    D "39: \"a+b@example.org\" has the separator \"+\" of its "
	      "domain\n" },
	{ "address of no domain", D, "@other.example: nil",
	    "@third.example: nil",
	    D "33: Destinations: the domain of \"@third.example\" is none of "
	      "Domains\n" },
	{ "address", D, "anna@example.org: nil",
	    "anna@example.org: nil\n\t\t\ta b@example.org: nil",
	    D "39: Destinations: \"a b@example.org\" is no address, with the "
	      "domain in unicode form, nor @domain\n" },
	{ "bare localpart", D, "anna@example.org: nil", "anna: nil",
	    D "38: warning: Destinations: write \"anna@example.org\", a "
	      "localpart alone is deprecated\n" },
	{ "domain of account", D,
	    "Domain: example.org\n\t\tDestinations:\n"
	    "\t\t\tanna",
	    "Domain: ex.example\n\t\tDestinations:\n\t\t\tanna",
	    D "36: warning: Domain: \"ex.example\" is none of Domains\n" },
	{ "SMTPError", D, "anna@example.org: nil",
	    "anna@example.org:\n\t\t\t\tSMTPError: 551 gone",
	    D "39: SMTPError: must be 421 or 550 and a text, not "
	      "\"551 gone\"\n" },
	{ "SMTPError and Mailbox", D, "anna@example.org: nil",
	    "anna@example.org:\n\t\t\t\tMailbox: Inbox\n"
	    "\t\t\t\tSMTPError: 550",
	    D "40: SMTPError: cannot be used together with Mailbox or "
	      "Rulesets\n" },
	{ "SMTPError alone", D, "anna@example.org: nil",
	    "anna@example.org:\n\t\t\t\tSMTPError: 421", "" },
	{ "ruleset without condition", D, "VerifiedDomain: lists.example",
	    "ListAllowDomain: lists.example",
	    D "30: Rulesets: a ruleset needs at least one of "
	      "SMTPMailFromRegexp, MsgFromRegexp, VerifiedDomain, "
	      "HeadersRegexp\n" },
	{ "forward", D, "\t\t\t\t\t\tMailbox: Lists",
	    "\t\t\t\t\t\tIsForward: true\n\t\t\t\t\t\tMailbox: Lists",
	    D "32: IsForward: needs SMTPMailFromRegexp and "
	      "VerifiedDomain\n" },
	{ "forward and list", D, "\t\t\t\t\t\tMailbox: Lists",
	    "\t\t\t\t\t\tSMTPMailFromRegexp: ^a@\n"
	    "\t\t\t\t\t\tIsForward: true\n"
	    "\t\t\t\t\t\tListAllowDomain: l.example\n"
	    "\t\t\t\t\t\tMailbox: Lists",
	    D "34: ListAllowDomain: cannot be used together with "
	      "IsForward\n" },
	{ "look-behind", D, "\t\t\t\t\t\tMailbox: Lists",
	    "\t\t\t\t\t\tMsgFromRegexp: (?<=a)b\n\t\t\t\t\t\tMailbox: Lists",
	    D "32: MsgFromRegexp: must be a regular expression in the syntax "
	      "of RE2, without look-around and back references, not "
	      "\"(?<=a)b\"\n" },
	{ "header name pattern", D, "\t\t\t\t\t\tMailbox: Lists",
	    "\t\t\t\t\t\tHeadersRegexp:\n\t\t\t\t\t\t\t^list-id(: x\n"
	    "\t\t\t\t\t\tMailbox: Lists",
	    D "33: HeadersRegexp: \"^list-id(\" must be a regular expression "
	      "in the syntax of RE2, without look-around and back "
	      "references\n" },
	{ "header pattern in upper case", D, "\t\t\t\t\t\tMailbox: Lists",
	    "\t\t\t\t\t\tHeadersRegexp:\n\t\t\t\t\t\t\t^List-Id$: x\\W\n"
	    "\t\t\t\t\t\tMailbox: Lists",
	    D "33: HeadersRegexp: must be in lower case\n" },
	{ "rejects to Inbox", D, "RejectsMailbox: Rejects",
	    "RejectsMailbox: inbox",
	    D "34: RejectsMailbox: must be another mailbox than Inbox, not "
	      "\"inbox\"\n" },
	{ "introbox for rejects", D, "RejectsMailbox: Rejects",
	    "RejectsMailbox: Rejects\n\t\tIntrobox: Rejects",
	    D "35: Introbox: must be another mailbox than "
	      "RejectsMailbox\n" },
	{ "login disabled", D, "RejectsMailbox: Rejects",
	    "LoginDisabled: gr\xc3\xbc\xc3\x9f",
	    D "34: LoginDisabled: must be at most 256 characters of printable "
	      "ASCII, not \"gr\xc3\xbc\xc3\x9f\"\n" },
	{ "from id of another", D, "RejectsMailbox: Rejects",
	    "FromIDLoginAddresses:\n\t\t\t- anna@example.org",
	    D "35: FromIDLoginAddresses: \"anna@example.org\" is no address "
	      "of this account\n" },
	{ "from id without separator", D, "anna@example.org: nil",
	    "anna@example.org: nil\n\t\t\ta@other.example: nil\n"
	    "\t\tFromIDLoginAddresses:\n\t\t\t- a@other.example",
	    D "41: FromIDLoginAddresses: the domain of \"a@other.example\" "
	      "has no separator\n" },
	{ "webhook event", D, "RejectsMailbox: Rejects",
	    "OutgoingWebhook:\n\t\t\tURL: https://h.example/\n"
	    "\t\t\tEvents:\n\t\t\t\t- sent",
	    D "37: Events: must be delivered, suppressed, delayed, failed, "
	      "relayed, expanded, canceled or unrecognized, not \"sent\"\n" },
	{ "junk filter", D, "RejectsMailbox: Rejects",
	    "JunkFilter:\n\t\t\tThreshold: 1.5\n\t\t\tParams:\n"
	    "\t\t\t\tMaxPower: 0.6\n\t\t\t\tTopWords: -1",
	    D "35: Threshold: must be 0 to 1, not \"1.5\"\n" D
	      "37: MaxPower: must be 0 to 0.5, not \"0.6\"\n" D
	      "38: TopWords: must not be negative, not \"-1\"\n" },

	/* ---- routes, web ---- */
	{ "transport", D, "Transport: t", "Transport: u",
	    D "49: Transport: there is no transport \"u\" in mox.conf\n" },
	{ "route domain", D, "\t\tTransport: t",
	    "\t\tToDomain:\n\t\t\t- ..example\n\t\tTransport: t",
	    D "50: ToDomain: must be a domain without trailing dot, not "
	      "\"..example\"\n" },
	{ "block list", D, "bl.example", "bl example",
	    D "51: MonitorDNSBLs: must be a domain without trailing dot, not "
	      "\"bl example\"\n" },
	{ "redirect to itself", D, "a.example: b.example",
	    "a.example: a.example",
	    D "40: WebDomainRedirects: \"a.example\" redirects to "
	      "itself\n" },
	{ "redirect from", D, "a.example: b.example", "a_b!: b.example",
	    D "40: WebDomainRedirects: \"a_b!\" must be a domain without "
	      "trailing dot\n" },
	{ "path pattern", D, "PathRegexp: ^/", "PathRegexp: /",
	    D "44: PathRegexp: must begin with ^, not \"/\"\n" },
	{ "no handler", D,
	    "\t\tWebRedirect:\n\t\t\tBaseURL: https://example.org\n", "",
	    D "42: WebHandlers: exactly one of WebStatic, WebRedirect, "
	      "WebForward, WebInternal must be set, not 0\n" },
	{ "two handlers", D, "\t\tWebRedirect:",
	    "\t\tWebForward:\n\t\t\tURL: http://h.example\n\t\tWebRedirect:",
	    D "42: WebHandlers: exactly one of WebStatic, WebRedirect, "
	      "WebForward, WebInternal must be set, not 2\n" },
	{ "redirect to nowhere", D, "BaseURL: https://example.org",
	    "StatusCode: 301",
	    D "45: WebRedirect: needs BaseURL, or OrigPathRegexp and "
	      "ReplacePath\n" },
	{ "half a rewrite", D, "BaseURL: https://example.org",
	    "OrigPathRegexp: ^/a",
	    D "45: WebRedirect: OrigPathRegexp and ReplacePath need each "
	      "other\n" },
	{ "redirect code", D, "BaseURL: https://example.org",
	    "BaseURL: https://example.org\n\t\t\tStatusCode: 200",
	    D "47: StatusCode: must be 300 to 399, not \"200\"\n" },
	{ "redirect with path", D, "https://example.org",
	    "https://example.org/a",
	    D "46: BaseURL: must be a URL with path / or none, not "
	      "\"https://example.org/a\"\n" },
	{ "internal service", D,
	    "\t\tWebRedirect:\n\t\t\tBaseURL: https://example.org\n",
	    "\t\tWebInternal:\n\t\t\tBasePath: /x\n\t\t\tService: mail\n",
	    D "46: BasePath: must begin and end with /, not \"/x\"\n" D
	      "47: Service: must be admin, account, webmail or webapi, not "
	      "\"mail\"\n" },
	{ "prefix", D, "\t\tWebRedirect:\n\t\t\tBaseURL: https://example.org\n",
	    "\t\tWebStatic:\n\t\t\tStripPrefix: x\n\t\t\tRoot: y\n",
	    D "46: StripPrefix: must begin with /, not \"x\"\n" },
};

static void
test_rows(void)
{
	broken_rows(rows, sizeof(rows) / sizeof(rows[0]));
}

int
main(void)
{
	char dir[] = "/tmp/mox-config-check.XXXXXX";

	broken_begin(dir);
	RUN(test_rows);
	file_remove_tree(AT_FDCWD, dir, NULL);
	return unit_done();
}
