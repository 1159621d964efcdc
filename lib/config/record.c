#include "config/record.h"

#include "config/account_conf.h"

#define OPT SCHEMA_OPTIONAL
#define REQ SCHEMA_REQUIRED

#define IN record_source
static const struct schema_field source_fields[] = {
	{ "Version", INT(version), REQ, NULL, NULL, "" },
	{ "Mtime", INT64(mtime), REQ, NULL, NULL, "" },
	{ "Size", INT64(size), REQ, NULL, NULL, "" },
	{ "Inode", INT64(inode), REQ, NULL, NULL, "" },
};
#undef IN
const struct schema record_source_schema =
    SCHEMA_OF(record_source, source_fields);

#define IN record_rules
static const struct schema_field rules_fields[] = {
	{ "Disabled", BOOL(disabled), OPT, NULL, NULL, "" },
	{ "ReportsOnly", BOOL(reports_only), OPT, NULL, NULL, "" },
	{ "CaseSensitive", BOOL(rules.case_sensitive), OPT, NULL, NULL, "" },
	{ "Separators", STRINGS(rules.separators), OPT, NULL, NULL, "" },
	{ "Reports", STRINGS(rules.reports), OPT, NULL, NULL, "" },
};
#undef IN
const struct schema record_rules_schema = SCHEMA_OF(record_rules, rules_fields);

#define IN record_address
static const struct schema_field address_fields[] = {
	{ "Account", STRING(account), REQ, NULL, NULL, "" },
	{ "Reports", STRING(reports), OPT, NULL, NULL, "" },
	{ "Destination",
	    STRUCT(destination, conf_destination, conf_destination_schema), REQ,
	    NULL, NULL, "" },
};
#undef IN
const struct schema record_address_schema =
    SCHEMA_OF(record_address, address_fields);

#define IN record_routes
static const struct schema_field routes_fields[] = {
	{ "Routes", LIST(routes, conf_route, conf_route_schema), OPT, NULL,
	    NULL, "" },
};
#undef IN
const struct schema record_routes_schema =
    SCHEMA_OF(record_routes, routes_fields);
