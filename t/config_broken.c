/*
 * Broken configurations: syntax, types, missing fields, values. What must hold
 * across fields is in config_check.c.
 */
#include "t/broken.h"

static const struct broken rows[] = {
	{ "spaces for a tab", M, "\tAccount: mjl\n\tMailbox: Post",
	    "        Account: mjl\n\tMailbox: Post",
	    M
	    "30: space in the indentation: indent with tabs, one for each level\n" },
	{ "spaces for a whole block", D,
	    "\t\tDomain: example.org\n\t\tDestinations:\n\t\t\tanna@example.org: nil\n",
	    "    Domain: example.org\n    Destinations:\n        anna@example.org: nil\n",
	    D
	    "22: Addresses: \"anna@example.org\" is no address of an account\n" D
	    "36: space in the indentation: indent with tabs, one for each level (3 lines)\n" },
	{ "a tab and a space", M, "\tMailbox: Postmaster",
	    "\t Mailbox: Postmaster",
	    M
	    "31: space in the indentation: indent with tabs, one for each level\n" },
	{ "a line of blanks", M, "LogLevel: info\n", "LogLevel: info\n\t\n",
	    M "3: line of blanks only: remove it, or leave it empty\n" },
	{ "a line of one space", D, "Accounts:\n", " \nAccounts:\n",
	    D "24: line of blanks only: remove it, or leave it empty\n" },
	{ "no space after the colon", M, "LogLevel: info", "LogLevel:info",
	    M "2: LogLevel: a space is needed after the colon\n" },
	{ "no colon", M, "LogLevel: info", "LogLevel info",
	    M
	    "2: expected \"Key: value\" or \"Key:\", not \"LogLevel info\"\n" },
	{ "equals sign", M, "LogLevel: info", "LogLevel = info",
	    M
	    "2: expected \"Key: value\" or \"Key:\", not \"LogLevel = info\"\n" },
	{ "no key", M, "LogLevel: info", ": info",
	    M "2: expected \"Key: value\" or \"Key:\", not \": info\"\n" },
	{ "section in brackets", M, "Postmaster:", "[Postmaster]",
	    M
	    "29: expected \"Key: value\" or \"Key:\", not \"[Postmaster]\"\n" },
	{ "key twice", M, "LogLevel: info", "LogLevel: info\nLogLevel: debug",
	    M "3: duplicate key \"LogLevel\"\n" },
	{ "key twice in a struct", M, "\tMailbox: Postmaster",
	    "\tMailbox: Postmaster\n\tMailbox: Inbox",
	    M "32: duplicate key \"Mailbox\"\n" },
	{ "struct twice", D, "\t\tMTASTS:",
	    "\t\tDMARC:\n\t\t\tLocalpart: x\n\t\t\tAccount: mjl\n\t\t\tMailbox: X\n\t\tMTASTS:",
	    D "14: duplicate key \"DMARC\"\n" },
	{ "account twice", D, "WebDomainRedirects:",
	    "\tmjl:\n\t\tDomain: example.org\nWebDomainRedirects:",
	    D "39: Accounts: duplicate key \"mjl\"\n" },
	{ "key in lower case", M, "LogLevel:", "loglevel:",
	    M " LogLevel: required field is missing\n" M
	      "2: unknown key \"loglevel\": write it \"LogLevel\"\n" },
	{ "key in upper case", D,
	    "\t\tDomain: example.org\n\t\tDestinations:\n\t\t\tanna",
	    "\t\tDOMAIN: example.org\n\t\tDestinations:\n\t\t\tanna",
	    D "35: Domain: required field is missing\n" D
	      "36: unknown key \"DOMAIN\": write it \"Domain\"\n" },
	{ "unknown key", M, "LogLevel: info", "LogLevel: info\nLoggLevel: info",
	    M "3: unknown key \"LoggLevel\"\n" },
	{ "unknown key with a block", D,
	    "\t\tDKIM:", "\t\tArc:\n\t\t\tX: 1\n\t\t\t\tY: 2\n\t\tDKIM:",
	    D "4: unknown key \"Arc\"\n" },
	{ "key of another level", D, "Accounts:\n",
	    "Disabled: true\nAccounts:\n", D "24: unknown key \"Disabled\"\n" },
	{ "key of another file", M, "Hostname:",
	    "Domains:\n\ta: nil\nHostname:", M "3: unknown key \"Domains\"\n" },
	{ "too deep", M, "\tAccount: mjl\n\tMailbox: Post",
	    "\t\t\tAccount: mjl\n\tMailbox: Post",
	    M "30: indented too far: expected 1 tab, found 3\n" },
	{ "not deep enough", M, "\tAccount: mjl\n\tMailbox: Post",
	    "Account: mjl\n\tMailbox: Post",
	    M "29: Postmaster: expected indented lines below\n" M
	      "29: Account: required field is missing\n" M
	      "29: Mailbox: required field is missing\n" M
	      "30: unknown key \"Account\"\n" },
	{ "value where lines are expected", M, "Postmaster:", "Postmaster: mjl",
	    M "29: Postmaster: expected indented lines below, not \"mjl\"\n" },
	{ "lines where a value is expected", M, "LogLevel: info",
	    "LogLevel:\n\tinfo",
	    M
	    "2: LogLevel: must be error, warn, info, debug, trace, traceauth or tracedata, not \"\"\n" M
	    "3: indented too far: expected 0 tabs, found 1\n" },
	{ "lines below a value", M, "LogLevel: info", "LogLevel: info\n\tdebug",
	    M "3: indented too far: expected 0 tabs, found 1\n" },
	{ "nothing below a struct", M,
	    "\tAccount: mjl\n\tMailbox: Postmaster\nHost", "Host",
	    M "29: Postmaster: expected indented lines below\n" M
	      "29: Account: required field is missing\n" M
	      "29: Mailbox: required field is missing\n" },
	{ "nothing below a map", D,
	    "WebDomainRedirects:\n\ta.example: b.example\n",
	    "WebDomainRedirects:\n",
	    D "39: WebDomainRedirects: expected indented lines below\n" },
	{ "nothing below a list", D, "MonitorDNSBLs:\n\t- bl.example\n",
	    "MonitorDNSBLs:\n",
	    D "50: MonitorDNSBLs: expected indented lines below\n" },
	{ "nothing below an entry", D, "\tother.example: nil",
	    "\tother.example:",
	    D
	    "23: other.example: expected indented lines below, or nil for none\n" },
	{ "value of an entry", D, "\tother.example: nil",
	    "\tother.example: true",
	    D
	    "23: other.example: expected indented lines below, or nil, not \"true\"\n" },
	{ "value for a destination", D, "anna@example.org: nil",
	    "anna@example.org: Inbox",
	    D
	    "38: anna@example.org: expected indented lines below, or nil, not \"Inbox\"\n" },
	{ "list without dash", M, "\t\t\t- 192.0.2.1", "\t\t\t192.0.2.1",
	    M "11: expected a list item, \"- value\", not \"192.0.2.1\"\n" },
	{ "list on one line", M, "\t\tIPs:\n\t\t\t- 192.0.2.1\n",
	    "\t\tIPs: 192.0.2.1\n",
	    M "10: IPs: expected indented lines below, not \"192.0.2.1\"\n" },
	{ "list in brackets", D, "\t\t\tSign:\n\t\t\t\t- s1\n",
	    "\t\t\tSign: [s1]\n",
	    D "8: Sign: expected indented lines below, not \"[s1]\"\n" },
	{ "value after the dash of a struct", D, "\t-\n\t\tTransport: t",
	    "\t- Transport: t",
	    D
	    "48: Routes: expected \"-\" alone, with the fields on the lines below\n" D
	    "48: Transport: required field is missing\n" },
	{ "struct without dash", D, "\t-\n\t\tTransport: t", "\tTransport: t",
	    D "48: expected a list item, \"- value\", not \"Transport: t\"\n" },
	{ "nil for a field", M, "LogLevel: info", "LogLevel: nil",
	    M
	    "2: LogLevel: must be error, warn, info, debug, trace, traceauth or tracedata, not \"nil\"\n" },
	{ "nil for a struct", M, "\t\tSMTP:\n\t\t\tEnabled: true\n\t\tAuto",
	    "\t\tSMTP: nil\n\t\tAuto",
	    M "16: SMTP: expected indented lines below, not \"nil\"\n" M
	      "16: Enabled: required field is missing\n" },
	{ "quotes", M, "Hostname: mail.example.org",
	    "Hostname: \"mail.example.org\"",
	    M
	    "3: Hostname: must be a domain without trailing dot, not \"\"mail.example.org\"\"\n" },
	{ "comment behind a value", M, "Hostname: mail.example.org",
	    "Hostname: mail.example.org # ours",
	    M
	    "3: Hostname: must be a domain without trailing dot, not \"mail.example.org # ours\"\n" },
	{ "blank behind a value", M, "LogLevel: info", "LogLevel: info ",
	    M
	    "2: LogLevel: must be error, warn, info, debug, trace, traceauth or tracedata, not \"info \"\n" },
	{ "two blanks before a value", M, "LogLevel: info", "LogLevel:  info",
	    M
	    "2: LogLevel: must be error, warn, info, debug, trace, traceauth or tracedata, not \" info\"\n" },
	{ "carriage returns", M, "LogLevel: info\n", "LogLevel: info\r\n",
	    M "2: carriage return: save the file with Unix line ends\n" },
	{ "Latin-1", D, "\tanna:\n", "\tann\xe4:\n",
	    D
	    "35: not UTF-8: save the file in this encoding\n" D
	    "35: Accounts: must be a name of at most 128 bytes without / and @, not beginning with a dot, not \"ann\xe4\"\n" },
	{ "control character", D, "Transport: t", "Transport: t\x01",
	    D "49: control character 0x01\n" D
	      "49: Transport: there is no transport \"t?\" in mox.conf\n" },
	{ "DEL", M, "LogLevel: info", "LogLevel: in\x7fzo",
	    M
	    "2: LogLevel: must be error, warn, info, debug, trace, traceauth or tracedata, not \"in?zo\"\n" },
	{ "yes for true", M, "\t\tSMTP:\n\t\t\tEnabled: true",
	    "\t\tSMTP:\n\t\t\tEnabled: yes",
	    M "17: Enabled: must be true or false, not \"yes\"\n" },
	{ "True for true", M, "DisableIPv6: true", "DisableIPv6: True",
	    M "42: DisableIPv6: must be true or false, not \"True\"\n" },
	{ "1 for true", D, "\t\tDKIM:", "\t\tDisabled: 1\n\t\tDKIM:",
	    D "4: Disabled: must be true or false, not \"1\"\n" },
	{ "no value for a bool", D,
	    "\t\tDKIM:", "\t\tLocalpartCaseSensitive:\n\t\tDKIM:",
	    D "4: LocalpartCaseSensitive: must be true or false, not \"\"\n" },
	{ "tri-state", M, "\t\tAutoconfigHTTPS:",
	    "\t\t\tTLSSessionTicketsDisabled: default\n\t\tAutoconfigHTTPS:",
	    M
	    "18: TLSSessionTicketsDisabled: must be true or false, not \"default\"\n" },
	{ "port in words", M, "\t\tAccountHTTP:",
	    "\t\tMetricsHTTP:\n\t\t\tEnabled: true\n\t\t\tPort: http\n\t\tAccountHTTP:",
	    M "29: Port: must be a number, not \"http\"\n" },
	{ "port 0 with sign", M, "\t\tAccountHTTP:",
	    "\t\tMetricsHTTP:\n\t\t\tEnabled: true\n\t\t\tPort: -1\n\t\tAccountHTTP:",
	    M "29: Port: must be 1 to 65535, not \"-1\"\n" },
	{ "port too large", M, "\t\tAccountHTTP:",
	    "\t\tPprofHTTP:\n\t\t\tEnabled: true\n\t\t\tPort: 65536\n\t\tAccountHTTP:",
	    M "29: Port: must be 1 to 65535, not \"65536\"\n" },
	{ "hexadecimal", M,
	    "Transports:", "QuotaMessageSize: 0x10\nTransports:",
	    M "39: QuotaMessageSize: must be a number, not \"0x10\"\n" },
	{ "number too large", M,
	    "Transports:", "QuotaMessageSize: 9223372036854775808\nTransports:",
	    M
	    "39: QuotaMessageSize: must be a number, not \"9223372036854775808\"\n" },
	{ "text index too small to be one", M,
	    "Transports:", "TextIndexSize: 15999999\nTransports:",
	    M
	    "39: TextIndexSize: must be 0, or 16000000 or more, not \"15999999\"\n" },
	{ "31 bits", D, "RejectsMailbox: Rejects",
	    "MaxOutgoingMessagesPerDay: 2147483648",
	    D
	    "34: MaxOutgoingMessagesPerDay: must be a number of at most 31 bits, not \"2147483648\"\n" },
	{ "fraction for a number", D, "RejectsMailbox: Rejects",
	    "MaxFirstTimeRecipientsPerDay: 1.5",
	    D
	    "34: MaxFirstTimeRecipientsPerDay: must be a number, not \"1.5\"\n" },
	{ "negative count", D, "RejectsMailbox: Rejects",
	    "MaxOutgoingMessagesPerDay: -1",
	    D
	    "34: MaxOutgoingMessagesPerDay: must not be negative, not \"-1\"\n" },
	{ "float", D, "RejectsMailbox: Rejects",
	    "JunkFilter:\n\t\t\tThreshold: 1e-3\n\t\t\tParams:\n\t\t\t\tMaxPower: 0.01\n\t\t\t\tTopWords: 10",
	    D "35: Threshold: must be a decimal number, not \"1e-3\"\n" },
	{ "float with comma", D, "RejectsMailbox: Rejects",
	    "JunkFilter:\n\t\t\tThreshold: 0,95\n\t\t\tParams:\n\t\t\t\tMaxPower: 0.01\n\t\t\t\tTopWords: 10",
	    D "35: Threshold: must be a decimal number, not \"0,95\"\n" },
	{ "duration without unit", D, "RejectsMailbox: Rejects",
	    "KeepRetiredMessagePeriod: 72",
	    D
	    "34: KeepRetiredMessagePeriod: must be a duration such as 72h, 1h30m or 15s, not \"72\"\n" },
	{ "duration in days", D, "MaxAge: 24h", "MaxAge: 1d",
	    D
	    "17: MaxAge: must be a duration such as 72h, 1h30m or 15s, not \"1d\"\n" },
	{ "duration with blank", D, "MaxAge: 24h", "MaxAge: 24 h",
	    D
	    "17: MaxAge: must be a duration such as 72h, 1h30m or 15s, not \"24 h\"\n" },
	{ "negative duration", D, "RejectsMailbox: Rejects",
	    "KeepRetiredWebhookPeriod: -1h",
	    D
	    "34: KeepRetiredWebhookPeriod: must not be negative, not \"-1h\"\n" },
	{ "duration too long", D, "MaxAge: 24h", "MaxAge: 9999999999h",
	    D
	    "17: MaxAge: must be a duration such as 72h, 1h30m or 15s, not \"9999999999h\"\n" },
	{ "no data folder", M, "DataDir: ../data\n", "",
	    M " DataDir: required field is missing\n" },
	{ "no level", M, "LogLevel: info\n", "",
	    M " LogLevel: required field is missing\n" },
	{ "empty data folder", M, "DataDir: ../data",
	    "DataDir:", M "1: DataDir: must not be empty, not \"\"\n" },
	{ "listener without addresses", M, "\t\tIPs:\n\t\t\t- 127.0.0.1\n", "",
	    M "24: IPs: required field is missing\n" },
	{ "ACME without contact", M, "\t\tContactEmail: mjl@example.org\n", "",
	    M "5: ContactEmail: required field is missing\n" },
	{ "ACME binding", M, "\t\tContactEmail:",
	    "\t\tExternalAccountBinding:\n\t\t\tKeyID: x\n\t\tContactEmail:",
	    M "7: KeyFile: required field is missing\n" },
	{ "postmaster without mailbox", M, "\tMailbox: Postmaster\n", "",
	    M "29: Mailbox: required field is missing\n" },
	{ "host report without localpart", M, "\tLocalpart: tlsreports\n", "",
	    M "32: Localpart: required field is missing\n" },
	{ "no domains", D, "Domains:", "WebDomains:",
	    D
	    " Domains: required field is missing\n" D
	    "1: unknown key \"WebDomains\"\n" D
	    "26: warning: Domain: \"example.org\" is none of Domains\n" D
	    "28: Destinations: the domain of \"mjl@example.org\" is none of Domains\n" D
	    "33: Destinations: the domain of \"@other.example\" is none of Domains\n" D
	    "36: warning: Domain: \"example.org\" is none of Domains\n" D
	    "38: Destinations: the domain of \"anna@example.org\" is none of Domains\n" },
	{ "account without domain", D,
	    "\t\tDomain: example.org\n\t\tDestinations:\n\t\t\tanna",
	    "\t\tDestinations:\n\t\t\tanna",
	    D "35: Domain: required field is missing\n" },
	{ "no selectors", D,
	    "\t\t\tSelectors:\n\t\t\t\ts1:\n\t\t\t\t\tPrivateKeyFile: s1.pem\n\t\t\tSign:\n\t\t\t\t- s1\n",
	    "\t\t\tSign:\n\t\t\t\t- s1\n",
	    D "4: Selectors: required field is missing\n" D
	      "6: Sign: there is no selector \"s1\"\n" },
	{ "policy without mode", D, "\t\t\tMode: enforce\n", "",
	    D "14: Mode: required field is missing\n" },
	{ "reports without mailbox", D, "\t\t\tMailbox: DMARC\n", "",
	    D "10: Mailbox: required field is missing\n" },
	{ "alias without members", D,
	    "\t\t\t\tAddresses:\n\t\t\t\t\t- mjl@example.org\n\t\t\t\t\t- anna@example.org\n",
	    "\t\t\t\tPostPublic: true\n",
	    D "19: Addresses: required field is missing\n" D
	      "19: Addresses: an alias needs at least one member\n" },
	{ "ruleset without mailbox", D, "\t\t\t\t\t\tMailbox: Lists\n", "",
	    D "30: Mailbox: required field is missing\n" },
	{ "route without transport", D, "\t\tTransport: t",
	    "\t\tMinimumAttempts: 3",
	    D "48: Transport: required field is missing\n" },
	{ "handler without domain", D, "\t\tDomain: www.example.org\n", "",
	    D "42: Domain: required field is missing\n" },
	{ "handler without path", D, "\t\tPathRegexp: ^/\n", "",
	    D "42: PathRegexp: required field is missing\n" },
	{ "webhook without URL", D, "RejectsMailbox: Rejects",
	    "IncomingWebhook:\n\t\t\tAuthorization: x",
	    D "34: URL: required field is missing\n" },
	{ "subject tokens without period", D, "RejectsMailbox: Rejects",
	    "SubjectPass:\n\t\t\tperiod: 1h",
	    D "34: Period: required field is missing\n" D
	      "35: unknown key \"period\": write it \"Period\"\n" },
	{ "junk filter without words", D, "RejectsMailbox: Rejects",
	    "JunkFilter:\n\t\t\tThreshold: 0.9",
	    D "34: Params: required field is missing\n" },
	{ "junk flags without Enabled", D, "RejectsMailbox: Rejects",
	    "AutomaticJunkFlags:\n\t\t\tJunkMailboxRegexp: ^junk",
	    D "34: Enabled: required field is missing\n" },
	{ "canonicalization by half", D, "\t\t\tSign:",
	    "\t\t\t\t\tCanonicalization:\n\t\t\t\t\t\tBodyRelaxed: true\n\t\t\tSign:",
	    D "8: HeaderRelaxed: required field is missing\n" },
	{ "transport without host", M, "\t\tDirect:\n\t\t\tDisableIPv6: true",
	    "\t\tSubmission:\n\t\t\tPort: 587",
	    M "41: Host: required field is missing\n" },
	{ "transport without password", M,
	    "\t\tDirect:\n\t\t\tDisableIPv6: true",
	    "\t\tSubmissions:\n\t\t\tHost: h.example\n\t\t\tAuth:\n\t\t\t\tUsername: u",
	    M "43: Password: required field is missing\n" },
	{ "SOCKS without name", M, "\t\tDirect:\n\t\t\tDisableIPv6: true",
	    "\t\tSocks:\n\t\t\tAddress: 127.0.0.1:1080\n\t\t\tRemoteIPs:\n\t\t\t\t- 192.0.2.7",
	    M "41: RemoteHostname: required field is missing\n" },
	{ "key without certificate", M, "\t\tAccountHTTP:",
	    "\t\tTLS:\n\t\t\tKeyCerts:\n\t\t\t\t-\n\t\t\t\t\tKeyFile: k.pem\n\t\tAccountHTTP:",
	    M "29: CertFile: required field is missing\n" },
	{ "package level", M,
	    "Hostname:", "PackageLogLevels:\n\tsmtpserver: verbose\nHostname:",
	    M
	    "4: PackageLogLevels: must be error, warn, info, debug, trace, traceauth or tracedata, not \"verbose\"\n" },
	{ "host name with port", M, "mail.example.org", "mail.example.org:25",
	    M
	    "3: Hostname: must be a domain without trailing dot, not \"mail.example.org:25\"\n" },
	{ "host name with dot", M, "mail.example.org", "mail.example.org.",
	    M
	    "3: Hostname: must be a domain without trailing dot, not \"mail.example.org.\"\n" },
	{ "host name with underscore", M, "mail.example.org",
	    "mail_1.example.org",
	    M
	    "3: Hostname: must be a domain without trailing dot, not \"mail_1.example.org\"\n" },
	{ "listener host name", M,
	    "\t\tAccountHTTP:", "\t\tHostname: local host\n\t\tAccountHTTP:",
	    M
	    "27: Hostname: must be a domain without trailing dot, not \"local host\"\n" },
	{ "IP with prefix", M, "192.0.2.1", "192.0.2.0/24",
	    M "11: IPs: must be an IP address, not \"192.0.2.0/24\"\n" },
	{ "IP with zone", M, "127.0.0.1", "fe80::1%eth0",
	    M "26: IPs: must be an IP address, not \"fe80::1%eth0\"\n" },
	{ "unspecified NATIPs", M, "198.51.100.1", "0.0.0.0",
	    M "13: NATIPs: must be a public address, not \"0.0.0.0\"\n" },
	{ "block list of listener", M, "\t\tAutoconfigHTTPS:",
	    "\t\t\tDNSBLs:\n\t\t\t\t- https://bl.example\n\t\tAutoconfigHTTPS:",
	    M
	    "19: DNSBLs: must be a domain without trailing dot, not \"https://bl.example\"\n" },
	{ "delay of new senders", M, "\t\tAutoconfigHTTPS:",
	    "\t\t\tFirstTimeSenderDelay: soon\n\t\tAutoconfigHTTPS:",
	    M
	    "18: FirstTimeSenderDelay: must be a duration such as 72h, 1h30m or 15s, not \"soon\"\n" },
	{ "message size 0 with sign", M,
	    "\t\tAccountHTTP:", "\t\tSMTPMaxMessageSize: -5\n\t\tAccountHTTP:",
	    M "27: SMTPMaxMessageSize: must not be negative, not \"-5\"\n" },
	{ "special mailbox Inbox", M,
	    "\tRegular:", "\tSpecialUse:\n\t\tSent: Inbox\n\tRegular:",
	    M "38: Sent: must be another mailbox than Inbox, not \"Inbox\"\n" },
	{ "mailbox with a dot element", M, "- Lists", "- Lists/../x",
	    M
	    "38: Regular: must be a mailbox, with / between levels, not \"Lists/../x\"\n" },
	{ "mailbox with control character", M, "- Lists", "- Li\tsts",
	    M
	    "38: Regular: must be a mailbox, with / between levels, not \"Li?sts\"\n" },
	{ "default mailbox", M, "InitialMailboxes:\n\tRegular:\n\t\t- Lists\n",
	    "DefaultMailboxes:\n\t- a//b\n",
	    M
	    "37: DefaultMailboxes: must be a mailbox, with / between levels, not \"a//b\"\n" },
	{ "host report localpart with quotes", M, "Localpart: tlsreports",
	    "Localpart: tls reports",
	    M
	    "35: Localpart: must be the localpart of an address, in ASCII, not \"tls reports\"\n" },
	{ "SOCKS address without port", M,
	    "\t\tDirect:\n\t\t\tDisableIPv6: true",
	    "\t\tSocks:\n\t\t\tAddress: proxy.example:0\n\t\t\tRemoteIPs:\n\t\t\t\t- 192.0.2.7\n\t\t\tRemoteHostname: o.example",
	    M "42: Address: must be host:port, not \"proxy.example:0\"\n" },
	{ "SOCKS source", M, "\t\tDirect:\n\t\t\tDisableIPv6: true",
	    "\t\tSocks:\n\t\t\tAddress: p.example:1080\n\t\t\tRemoteIPs:\n\t\t\t\t- p.example\n\t\t\tRemoteHostname: o.example",
	    M "44: RemoteIPs: must be an IP address, not \"p.example\"\n" },
	{ "transport host", M, "\t\tDirect:\n\t\t\tDisableIPv6: true",
	    "\t\tSMTP:\n\t\t\tHost: smtp://h.example",
	    M
	    "42: Host: must be a domain or an IP address, not \"smtp://h.example\"\n" },
	{ "limit in words", M,
	    "Transports:", "Limits:\n\tConnectionsPerIP: many\nTransports:",
	    M "40: ConnectionsPerIP: must be a number, not \"many\"\n" },
	{ "limits misspelled", M,
	    "Transports:", "Limits:\n\tConnectionsPerIp: 5\nTransports:",
	    M
	    "40: unknown key \"ConnectionsPerIp\": write it \"ConnectionsPerIP\"\n" },
	{ "domain with dot at the end", D, "\tother.example: nil",
	    "\tother.example.: nil",
	    D
	    "23: Domains: must be a domain without trailing dot, not \"other.example.\"\n" D
	    "33: Destinations: the domain of \"@other.example\" is none of Domains\n" },
	{ "domain with blank", D, "\tother.example: nil",
	    "\tother example: nil",
	    D
	    "23: Domains: must be a domain without trailing dot, not \"other example\"\n" D
	    "33: Destinations: the domain of \"@other.example\" is none of Domains\n" },
	{ "client settings domain", D, "other.example: nil",
	    "other.example:\n\t\tClientSettingsDomain: mail other",
	    D
	    "24: ClientSettingsDomain: must be a domain without trailing dot, not \"mail other\"\n" },
	{ "separator of two", D, "other.example: nil",
	    "other.example:\n\t\tLocalpartCatchallSeparator: a@",
	    D
	    "24: LocalpartCatchallSeparator: must be a character such as + or -, not \"a@\"\n" },
	{ "selector", D, "\t\t\t\ts1:", "\t\t\t\ts 1:",
	    D
	    "6: Selectors: must be a domain without trailing dot, not \"s 1\"\n" D
	    "9: Sign: there is no selector \"s1\"\n" },
	{ "header to sign", D, "\t\t\tSign:",
	    "\t\t\t\t\tHeaders:\n\t\t\t\t\t\t- From\n\t\t\t\t\t\t- X Spam\n\t\t\tSign:",
	    D "10: Headers: must be a header name, not \"X Spam\"\n" },
	{ "expiration", D,
	    "\t\t\tSign:", "\t\t\t\t\tExpiration: never\n\t\t\tSign:",
	    D
	    "8: Expiration: must be a duration such as 72h, 1h30m or 15s, not \"never\"\n" },
	{ "policy id with blank", D, "PolicyID: 1", "PolicyID: 1 2",
	    D
	    "15: PolicyID: must be 1 to 32 letters and digits, not \"1 2\"\n" },
	{ "policy id too long", D, "PolicyID: 1",
	    "PolicyID: 123456789012345678901234567890123",
	    D
	    "15: PolicyID: must be 1 to 32 letters and digits, not \"123456789012345678901234567890123\"\n" },
	{ "reports localpart with at", D, "Localpart: dmarcreports",
	    "Localpart: dmarc@example.org",
	    D
	    "11: Localpart: must be the localpart of an address, in ASCII, not \"dmarc@example.org\"\n" },
	{ "reports mailbox", D, "Mailbox: DMARC", "Mailbox: DMARC/",
	    D
	    "13: Mailbox: must be a mailbox, with / between levels, not \"DMARC/\"\n" },
	{ "alias with domain", D, "\t\t\tteam:", "\t\t\tteam@example.org:",
	    D
	    "19: Aliases: must be the localpart of an address, not \"team@example.org\"\n" },
	{ "member without domain", D, "- anna@example.org", "- anna",
	    D
	    "22: Addresses: must be an address, localpart@domain, not \"anna\"\n" D
	    "22: Addresses: \"anna\" is no address of an account\n" },
	{ "account with at", D, "\tanna:\n", "\tanna@example.org:\n",
	    D
	    "35: Accounts: must be a name of at most 128 bytes without / and @, not beginning with a dot, not \"anna@example.org\"\n" },
	{ "account with dot", D, "\tanna:\n", "\t.anna:\n",
	    D
	    "35: Accounts: must be a name of at most 128 bytes without / and @, not beginning with a dot, not \".anna\"\n" },
	{ "destination without localpart and domain", D,
	    "anna@example.org: nil", "@: nil",
	    D
	    "22: Addresses: \"anna@example.org\" is no address of an account\n" D
	    "38: Destinations: \"@\" is no address, with the domain in unicode form, nor @domain\n" },
	{ "destination mailbox", D, "anna@example.org: nil",
	    "anna@example.org:\n\t\t\t\tMailbox: ..",
	    D
	    "39: Mailbox: must be a mailbox, with / between levels, not \"..\"\n" },
	{ "SMTPError without code", D, "anna@example.org: nil",
	    "anna@example.org:\n\t\t\t\tSMTPError: no such user",
	    D
	    "39: SMTPError: must be 421 or 550 and a text, not \"no such user\"\n" },
	{ "required authentication", D, "anna@example.org: nil",
	    "anna@example.org:\n\t\t\t\tMessageAuthRequiredSMTPError: n\xc3\xb6"
	    "",
	    D
	    "39: MessageAuthRequiredSMTPError: must be at most 256 characters of printable ASCII, not \"n\xc3\xb6\"\n" },
	{ "rule: MAIL FROM pattern", D, "\t\t\t\t\t\tMailbox: Lists",
	    "\t\t\t\t\t\tSMTPMailFromRegexp: (a\n\t\t\t\t\t\tMailbox: Lists",
	    D
	    "32: SMTPMailFromRegexp: must be a regular expression in the syntax of RE2, without look-around and back references, not \"(a\"\n" },
	{ "rule: bracket", D, "\t\t\t\t\t\tMailbox: Lists",
	    "\t\t\t\t\t\tMsgFromRegexp: [a\n\t\t\t\t\t\tMailbox: Lists",
	    D
	    "32: MsgFromRegexp: must be a regular expression in the syntax of RE2, without look-around and back references, not \"[a\"\n" },
	{ "rule: back reference", D, "\t\t\t\t\t\tMailbox: Lists",
	    "\t\t\t\t\t\tMsgFromRegexp: (a)\\1\n\t\t\t\t\t\tMailbox: Lists",
	    D
	    "32: MsgFromRegexp: must be a regular expression in the syntax of RE2, without look-around and back references, not \"(a)\\1\"\n" },
	{ "rule: star of nothing", D, "\t\t\t\t\t\tMailbox: Lists",
	    "\t\t\t\t\t\tMsgFromRegexp: *@example.org\n\t\t\t\t\t\tMailbox: Lists",
	    D
	    "32: MsgFromRegexp: must be a regular expression in the syntax of RE2, without look-around and back references, not \"*@example.org\"\n" },
	{ "rule: list domain", D, "\t\t\t\t\t\tMailbox: Lists",
	    "\t\t\t\t\t\tListAllowDomain: lists..example\n\t\t\t\t\t\tMailbox: Lists",
	    D
	    "32: ListAllowDomain: must be a domain without trailing dot, not \"lists..example\"\n" },
	{ "rule: rejects to Inbox", D, "\t\t\t\t\t\tMailbox: Lists",
	    "\t\t\t\t\t\tAcceptRejectsToMailbox: Inbox\n\t\t\t\t\t\tMailbox: Lists",
	    D
	    "32: AcceptRejectsToMailbox: must be another mailbox than Inbox, not \"Inbox\"\n" },
	{ "rule: verified domain", D, "VerifiedDomain: lists.example",
	    "VerifiedDomain: @lists.example",
	    D
	    "31: VerifiedDomain: must be a domain without trailing dot, not \"@lists.example\"\n" },
	{ "junk mailbox pattern", D, "RejectsMailbox: Rejects",
	    "AutomaticJunkFlags:\n\t\t\tEnabled: true\n\t\t\tJunkMailboxRegexp: ^(junk", D "36: JunkMailboxRegexp: must be a regular expression in the syntax of RE2, without look-around and back references, not \"^(junk\"\n" },
	{ "webhook URL", D, "RejectsMailbox: Rejects",
	    "OutgoingWebhook:\n\t\t\tURL: ftp://h.example/",
	    D
	    "35: URL: must be a URL with http or https, not \"ftp://h.example/\"\n" },
	{ "webhook authorization", D, "RejectsMailbox: Rejects",
	    "IncomingWebhook:\n\t\t\tURL: https://h.example/\n\t\t\tAuthorization: a\x7fz",
	    D "36: Authorization: must be printable ASCII, not \"a?z\"\n" },
	{ "login disabled for too long a reason", D, "RejectsMailbox: Rejects",
	    "LoginDisabled: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
	    D
	    "34: LoginDisabled: must be at most 256 characters of printable ASCII, not \"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"\n" },
	{ "introbox", D, "RejectsMailbox: Rejects", "Introbox: inbox",
	    D
	    "34: Introbox: must be another mailbox than Inbox, not \"inbox\"\n" },
	{ "quota in words", D, "RejectsMailbox: Rejects",
	    "QuotaMessageSize: 1 GB",
	    D "34: QuotaMessageSize: must be a number, not \"1 GB\"\n" },
	{ "attempts", D, "\t\tTransport: t",
	    "\t\tMinimumAttempts: -2\n\t\tTransport: t",
	    D "49: MinimumAttempts: must not be negative, not \"-2\"\n" },
	{ "redirect to", D, "a.example: b.example",
	    "a.example: https://b.example",
	    D
	    "40: WebDomainRedirects: must be a domain without trailing dot, not \"https://b.example\"\n" },
	{ "handler domain", D, "Domain: www.example.org",
	    "Domain: *.example.org",
	    D
	    "43: Domain: must be a domain without trailing dot, not \"*.example.org\"\n" },
	{ "handler pattern", D, "PathRegexp: ^/", "PathRegexp: ^/(",
	    D
	    "44: PathRegexp: must be a regular expression in the syntax of RE2, without look-around and back references, not \"^/(\"\n" },
	{ "static files without root", D,
	    "\t\tWebRedirect:\n\t\t\tBaseURL: https://example.org\n",
	    "\t\tWebStatic:\n\t\t\tListFiles: true\n",
	    D "45: Root: required field is missing\n" },
	{ "static header", D,
	    "\t\tWebRedirect:\n\t\t\tBaseURL: https://example.org\n",
	    "\t\tWebStatic:\n\t\t\tRoot: x\n\t\t\tResponseHeaders:\n\t\t\t\tX: a\x7fz\n",
	    D "48: ResponseHeaders: must be printable ASCII, not \"a?z\"\n" },
	{ "forward URL", D,
	    "\t\tWebRedirect:\n\t\t\tBaseURL: https://example.org\n",
	    "\t\tWebForward:\n\t\t\tURL: 127.0.0.1:8080\n",
	    D
	    "46: URL: must be a URL with http or https, not \"127.0.0.1:8080\"\n" },
	{ "internal path", D,
	    "\t\tWebRedirect:\n\t\t\tBaseURL: https://example.org\n",
	    "\t\tWebInternal:\n\t\t\tBasePath: x/\n\t\t\tService: webmail\n",
	    D "46: BasePath: must begin and end with /, not \"x/\"\n" },
	{ "redirect URL", D, "BaseURL: https://example.org",
	    "BaseURL: example.org",
	    D
	    "46: BaseURL: must be a URL with http or https, not \"example.org\"\n" },
	{ "redirect code in words", D, "BaseURL: https://example.org",
	    "BaseURL: https://example.org\n\t\t\tStatusCode: moved",
	    D "47: StatusCode: must be a number, not \"moved\"\n" },
};

static void
test_rows(void)
{
	broken_rows(rows, sizeof(rows) / sizeof(rows[0]));
}

int
main(void)
{
	char dir[] = "/tmp/mox-config-broken.XXXXXX";

	broken_begin(dir);
	RUN(test_rows);
	file_remove_tree(AT_FDCWD, dir, NULL);
	return unit_done();
}
