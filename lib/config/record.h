/*
 * record - the records of domains.cdb.
 *
 * Keys are "KIND:NAME", values are sconf as schema_write makes it: one table
 * of fields is also the format on disk, and `cdb -q` shows what a server
 * knows. Further kinds, with the schemas of domains_conf.h: "domain:DOMAIN"
 * (no aliases), "account:NAME" (no destinations), "alias:LOCAL@DOMAIN"; and
 * "addresses:NAME", the addresses of an account, a line each.
 */
#ifndef CONFIG_RECORD_H
#define CONFIG_RECORD_H

#include "config/domains_conf.h"
#include "config/name.h"

#define RECORD_VERSION 2

/* "source:": which domains.conf this is. Another: compile again. */
struct record_source {
	struct slice name;
	int version;   /* RECORD_VERSION */
	int64_t mtime; /* nanoseconds */
	int64_t size;
	int64_t inode;
};

/* "rules:DOMAIN": what finding an address needs of the domain. */
struct record_rules {
	struct slice name;
	bool disabled;
	bool reports_only; /* its reports go elsewhere, nothing is local */
	struct name_rules rules;
};

/* "address:LOCAL@DOMAIN": whose it is. */
struct record_address {
	struct slice name;
	struct slice account;
	struct slice reports; /* "dmarc", "tls", or empty */
	struct conf_destination *destination;
};

/* "routes:": the global ones, if there are any. */
struct record_routes {
	struct slice name;
	struct conf_routes routes;
};

extern const struct schema record_source_schema;
extern const struct schema record_rules_schema;
extern const struct schema record_address_schema;
extern const struct schema record_routes_schema;

/* "KIND:NAME", in the arena. */
static inline struct slice
record_key(struct arena *arena, const char *kind, struct slice name)
{
	return name_glue(arena, slice_str(kind), ':', name);
}

#endif
