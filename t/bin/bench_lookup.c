/*
 * bench_lookup [accounts] - what compiling domains.conf and looking up
 * addresses cost. Each account has settings as quickstart writes them and one
 * address; lookups are of random addresses, every fourth one unknown.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "t/tmp.h"
#include "config/domains_cdb.h"
#include "config/lookup.h"

#define LOOKUPS 1000000

static const char mox_conf[] =
    "DataDir: data\nLogLevel: info\nHostname: mail.example.org\n"
    "Listeners:\n\tpublic:\n\t\tIPs:\n\t\t\t- 127.0.0.1\n"
    "Postmaster:\n\tAccount: u0\n\tMailbox: Postmaster\n";

static const char settings[] =
    "\t\tRejectsMailbox: Rejects\n"
    "\t\tAutomaticJunkFlags:\n"
    "\t\t\tEnabled: true\n"
    "\t\t\tJunkMailboxRegexp: ^(junk|spam)\n"
    "\t\t\tNeutralMailboxRegexp: "
    "^(inbox|neutral|postmaster|dmarc|tlsrpt|rejects)\n"
    "\t\tJunkFilter:\n"
    "\t\t\tThreshold: 0.950000\n"
    "\t\t\tParams:\n"
    "\t\t\t\tOnegrams: true\n"
    "\t\t\t\tMaxPower: 0.010000\n"
    "\t\t\t\tTopWords: 10\n"
    "\t\t\t\tIgnoreWords: 0.100000\n"
    "\t\t\t\tRareWords: 2\n";

static double
seconds(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Resident memory that is not the mapped file, in MB. */
static double
own_memory(void)
{
	struct buf b = BUF_INIT(10000);
	struct slice line, rest;
	uint64_t kb = 0;

	if (file_read(AT_FDCWD, "/proc/self/status", &b, NULL) > 0)
		for (rest = buf_slice(&b); slice_line(&rest, &line);)
			if (slice_starts(line, SLICE("RssAnon:")))
				slice_u64(slice_trim(slice_sub(line, 8,
					      line.n - 3)),
				    &kb);
	buf_free(&b);
	return (double)kb / 1024;
}

static void
write_file(const char *path, struct slice text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0 || file_write(fd, text, NULL) < 0)
		exit(111);
	close(fd);
}

static void
write_domains(uint32_t n)
{
	struct buf b = BUF_INIT(SCONF_FILE_MAX);

	buf_addz(&b,
	    "Domains:\n\texample.org:\n"
	    "\t\tLocalpartCatchallSeparator: +\nAccounts:\n");
	for (uint32_t i = 0; i < n; i++) {
		buf_addf(&b,
		    "\tu%u:\n\t\tDomain: example.org\n"
		    "\t\tDestinations:\n"
		    "\t\t\tuser%u@example.org: nil\n",
		    i, i);
		buf_addz(&b, settings);
	}
	write_file("domains.conf", buf_slice(&b));
	printf("domains.conf, %u accounts: %.0f MB\n", n, (double)b.n / 1e6);
	buf_free(&b);
}

static int
compile(const struct config *config, struct sconf_errors *errors)
{
	double wall = seconds(CLOCK_MONOTONIC),
	       cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
	struct rusage usage;
	int rc = domains_cdb_refresh(config, errors);

	getrusage(RUSAGE_SELF, &usage);
	printf("compile: %.2f s (%.2f s CPU), %ld MB at most\n",
	    seconds(CLOCK_MONOTONIC) - wall,
	    seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu, usage.ru_maxrss / 1024);
	return rc;
}

static void
look_up(const struct config *config, uint32_t n)
{
	struct arena *arena = arena_new(0);
	struct lookup *lookup;
	struct lookup_result r;
	const struct conf_account *account;
	uint64_t random = 1;
	size_t found = 0;
	double cpu;

	if (lookup_open(config, &lookup, NULL) < 0)
		exit(1);
	cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
	for (size_t i = 0; i < LOOKUPS; i++) {
		random = random * 6364136223846793005 + 1442695040888963407;
		lookup_address(lookup, arena,
		    arena_printf(arena, "%s%u+x", i % 4 ? "User" : "none",
			(uint32_t)(random >> 33) % n),
		    SLICE("example.org"), &r, NULL);
		if (r.status == LOOKUP_ACCOUNT &&
		    lookup_account(lookup, arena, r.account, &account, NULL) ==
			1)
			found++;
		arena_reset(arena);
	}
	printf("look-up of address and account: %.2f us CPU, %zu of %d found, "
	       "%.1f MB besides the mapping\n",
	    (seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu) * 1e6 / LOOKUPS, found,
	    LOOKUPS, own_memory());
	lookup_close(&lookup);
	arena_free(&arena);
}

int
main(int argc, char **argv)
{
	char dir[TMP_PATH];
	struct arena *arena = arena_new(0);
	struct sconf_errors errors;
	struct config *config;
	uint32_t n = 100000;

	if ((argc > 1 && !slice_u32(slice_str(argv[1]), &n)) || n == 0)
		return 2;
	if (!mkdtemp(tmp_template(dir, "mox-bench-lookup")) || chdir(dir) < 0)
		return 111;
	sconf_errors_init(&errors, arena);
	write_file("mox.conf", slice_str(mox_conf));
	write_domains(n);
	if (config_load("mox.conf", &config, &errors) == 0 &&
	    compile(config, &errors) == 1)
		look_up(config, n);
	config_print_errors(&errors);
	config_free(&config);
	arena_free(&arena);
	file_remove_tree(AT_FDCWD, dir, NULL);
	return errors.errors > 0;
}
