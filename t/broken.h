/*
 * broken - configurations with one mistake each, and the problems told. Rows
 * change one place of a good pair of files.
 */
#ifndef T_BROKEN_H
#define T_BROKEN_H

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "config/check.h"
#include "t/unit.h"

static const char mox_conf[] =
    "DataDir: ../data\n"                           /* 1 */
    "LogLevel: info\n"                             /* 2 */
    "Hostname: mail.example.org\n"                 /* 3 */
    "ACME:\n"                                      /* 4 */
    "\tle:\n"                                      /* 5 */
    "\t\tDirectoryURL: https://acme.example/dir\n" /* 6 */
    "\t\tContactEmail: mjl@example.org\n"          /* 7 */
    "Listeners:\n"                                 /* 8 */
    "\tpublic:\n"                                  /* 9 */
    "\t\tIPs:\n"                                   /* 10 */
    "\t\t\t- 192.0.2.1\n"                          /* 11 */
    "\t\tNATIPs:\n"                                /* 12 */
    "\t\t\t- 198.51.100.1\n"                       /* 13 */
    "\t\tTLS:\n"                                   /* 14 */
    "\t\t\tACME: le\n"                             /* 15 */
    "\t\tSMTP:\n"                                  /* 16 */
    "\t\t\tEnabled: true\n"                        /* 17 */
    "\t\tAutoconfigHTTPS:\n"                       /* 18 */
    "\t\t\tEnabled: true\n"                        /* 19 */
    "\t\tMTASTSHTTPS:\n"                           /* 20 */
    "\t\t\tEnabled: true\n"                        /* 21 */
    "\t\tWebserverHTTP:\n"                         /* 22 */
    "\t\t\tEnabled: true\n"                        /* 23 */
    "\tinternal:\n"                                /* 24 */
    "\t\tIPs:\n"                                   /* 25 */
    "\t\t\t- 127.0.0.1\n"                          /* 26 */
    "\t\tAccountHTTP:\n"                           /* 27 */
    "\t\t\tEnabled: true\n"                        /* 28 */
    "Postmaster:\n"                                /* 29 */
    "\tAccount: mjl\n"                             /* 30 */
    "\tMailbox: Postmaster\n"                      /* 31 */
    "HostTLSRPT:\n"                                /* 32 */
    "\tAccount: mjl\n"                             /* 33 */
    "\tMailbox: TLSRPT\n"                          /* 34 */
    "\tLocalpart: tlsreports\n"                    /* 35 */
    "InitialMailboxes:\n"                          /* 36 */
    "\tRegular:\n"                                 /* 37 */
    "\t\t- Lists\n"                                /* 38 */
    "Transports:\n"                                /* 39 */
    "\tt:\n"                                       /* 40 */
    "\t\tDirect:\n"                                /* 41 */
    "\t\t\tDisableIPv6: true\n"                    /* 42 */
    "";

static const char domains_conf[] =
    "Domains:\n"                                  /* 1 */
    "\texample.org:\n"                            /* 2 */
    "\t\tLocalpartCatchallSeparator: +\n"         /* 3 */
    "\t\tDKIM:\n"                                 /* 4 */
    "\t\t\tSelectors:\n"                          /* 5 */
    "\t\t\t\ts1:\n"                               /* 6 */
    "\t\t\t\t\tPrivateKeyFile: s1.pem\n"          /* 7 */
    "\t\t\tSign:\n"                               /* 8 */
    "\t\t\t\t- s1\n"                              /* 9 */
    "\t\tDMARC:\n"                                /* 10 */
    "\t\t\tLocalpart: dmarcreports\n"             /* 11 */
    "\t\t\tAccount: mjl\n"                        /* 12 */
    "\t\t\tMailbox: DMARC\n"                      /* 13 */
    "\t\tMTASTS:\n"                               /* 14 */
    "\t\t\tPolicyID: 1\n"                         /* 15 */
    "\t\t\tMode: enforce\n"                       /* 16 */
    "\t\t\tMaxAge: 24h\n"                         /* 17 */
    "\t\tAliases:\n"                              /* 18 */
    "\t\t\tteam:\n"                               /* 19 */
    "\t\t\t\tAddresses:\n"                        /* 20 */
    "\t\t\t\t\t- mjl@example.org\n"               /* 21 */
    "\t\t\t\t\t- anna@example.org\n"              /* 22 */
    "\tother.example: nil\n"                      /* 23 */
    "Accounts:\n"                                 /* 24 */
    "\tmjl:\n"                                    /* 25 */
    "\t\tDomain: example.org\n"                   /* 26 */
    "\t\tDestinations:\n"                         /* 27 */
    "\t\t\tmjl@example.org:\n"                    /* 28 */
    "\t\t\t\tRulesets:\n"                         /* 29 */
    "\t\t\t\t\t-\n"                               /* 30 */
    "\t\t\t\t\t\tVerifiedDomain: lists.example\n" /* 31 */
    "\t\t\t\t\t\tMailbox: Lists\n"                /* 32 */
    "\t\t\t@other.example: nil\n"                 /* 33 */
    "\t\tRejectsMailbox: Rejects\n"               /* 34 */
    "\tanna:\n"                                   /* 35 */
    "\t\tDomain: example.org\n"                   /* 36 */
    "\t\tDestinations:\n"                         /* 37 */
    "\t\t\tanna@example.org: nil\n"               /* 38 */
    "WebDomainRedirects:\n"                       /* 39 */
    "\ta.example: b.example\n"                    /* 40 */
    "WebHandlers:\n"                              /* 41 */
    "\t-\n"                                       /* 42 */
    "\t\tDomain: www.example.org\n"               /* 43 */
    "\t\tPathRegexp: ^/\n"                        /* 44 */
    "\t\tWebRedirect:\n"                          /* 45 */
    "\t\t\tBaseURL: https://example.org\n"        /* 46 */
    "Routes:\n"                                   /* 47 */
    "\t-\n"                                       /* 48 */
    "\t\tTransport: t\n"                          /* 49 */
    "MonitorDNSBLs:\n"                            /* 50 */
    "\t- bl.example\n"                            /* 51 */
    "";

#define M "config/mox.conf:"
#define D "config/domains.conf:"

struct broken {
	const char *name;
	const char *file; /* which file is changed: M or D */
	const char *from, *to;
	const char *problems;
};

static inline void
broken_write(const char *path, struct slice text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	CHECK(fd >= 0 && file_write(fd, text, NULL) == 0);
	close(fd);
}

/* text with from, which must be in it, replaced by to. */
static inline void
broken_change(const char *path, const char *text, const char *from,
    const char *to)
{
	struct buf b = BUF_INIT(100000);
	struct slice s = slice_str(text), needle = slice_str(from);
	ssize_t at = slice_find(s, needle);

	if (at < 0) {
		UNIT_FAIL("no \"%s\" in %s", from, path);
		at = 0;
	}
	buf_add(&b, slice_head(s, (size_t)at));
	buf_addz(&b, to);
	buf_add(&b, slice_skip(s, (size_t)at + needle.n));
	broken_write(path, buf_slice(&b));
	buf_free(&b);
}

static inline void
broken_check(const struct broken *row)
{
	struct arena *arena = arena_new(0);
	struct buf got = BUF_INIT(100000);
	struct config *config;
	struct config_domains *domains;
	struct sconf_errors errors;
	int mox, dom = 0;

	sconf_errors_init(&errors, arena);
	mox = config_load("config/mox.conf", &config, &errors);
	if (config) {
		dom = config_domains_load(config, &errors, &domains);
		config_domains_free(&domains);
	}
	CHECK_EQ(mox < 0 || dom<0, errors.errors> 0);
	sconf_errors_sort(&errors);
	for (size_t k = 0; k < errors.n; k++) {
		buf_add(&got, sconf_error_format(&errors.v[k], arena));
		buf_addc(&got, '\n');
	}
	CHECK_SLICE(buf_slice(&got), slice_str(row->problems));
	config_free(&config);
	buf_free(&got);
	arena_free(&arena);
}

static inline void
broken_rows(const struct broken *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		bool mox = strcmp(rows[i].file, M) == 0;

		ROW(rows[i].name);
		broken_change("config/mox.conf", mox_conf,
		    mox ? rows[i].from : "", mox ? rows[i].to : "");
		broken_change("config/domains.conf", domains_conf,
		    mox ? "" : rows[i].from, mox ? "" : rows[i].to);
		broken_check(&rows[i]);
	}
}

/* A folder of its own, with config/ in it. */
static inline void
broken_begin(char *dir)
{
	unsetenv("MOX_LOGLEVEL");
	if (!mkdtemp(dir) || chdir(dir) < 0 || mkdir("config", 0700) < 0)
		exit(111);
}

#endif
