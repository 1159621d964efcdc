#include "config/account_conf.h"
#include "config/domains_conf.h"
#include "config/field.h"

#define OPT SCHEMA_OPTIONAL
#define REQ SCHEMA_REQUIRED

#define RESPONSE_HEADERS \
	{ \
		"ResponseHeaders", PAIRS(response_headers), OPT, NULL, \
		    field_header_value, "Headers to add to responses." \
	}

#define IN conf_web_static
static const struct schema_field web_static_fields[] = {
	{ "StripPrefix", STRING(strip_prefix), OPT, NULL, field_path,
	    "Removed from the path before the file is looked for." },
	{ "Root", STRING(root), REQ, NULL, field_text,
	    "Folder with the files, relative to the working folder." },
	{ "ListFiles", BOOL(list_files), OPT, NULL, NULL,
	    "List folders that have no index.html." },
	{ "ContinueNotFound", BOOL(continue_not_found), OPT, NULL, NULL,
	    "Go on with the next handler if there is no such file." },
	RESPONSE_HEADERS,
};
#undef IN
static const struct schema web_static =
    SCHEMA_OF(conf_web_static, web_static_fields);

#define IN conf_web_redirect
static const struct schema_field web_redirect_fields[] = {
	{ "BaseURL", STRING(base_url), OPT, NULL, field_base_url,
	    "Scheme, host and query of the new URL; with path / or none, "
	    "which is taken from the request. The scheme may be left out: "
	    "//www.example.org." },
	{ "OrigPathRegexp", STRING(orig_path_regexp), OPT, NULL, field_regexp,
	    "Matched against the path, which is replaced by ReplacePath. "
	    "Without a match the handler does not apply." },
	{ "ReplacePath", STRING(replace_path), OPT, NULL, NULL,
	    "The new path, with $1 and so on for groups of the "
	    "expression." },
	{ "StatusCode", INT(status_code), OPT, "308", field_redirect_code,
	    "HTTP status, 301 to 399." },
};
#undef IN
static const struct schema web_redirect =
    SCHEMA_OF(conf_web_redirect, web_redirect_fields);

#define IN conf_web_forward
static const struct schema_field web_forward_fields[] = {
	{ "StripPath", BOOL(strip_path), OPT, NULL, NULL,
	    "Remove what PathRegexp matched from the path." },
	{ "URL", STRING(url), REQ, NULL, field_url,
	    "Server to forward requests to; the path is appended." },
	RESPONSE_HEADERS,
};
#undef IN
static const struct schema web_forward =
    SCHEMA_OF(conf_web_forward, web_forward_fields);

#define IN conf_web_internal
static const struct schema_field web_internal_fields[] = {
	{ "BasePath", STRING(base_path), REQ, NULL, field_base_path,
	    "Path of the service, removed from requests." },
	{ "Service", STRING(service), REQ, NULL, field_web_service,
	    "admin, account, webmail or webapi." },
};
#undef IN
static const struct schema web_internal =
    SCHEMA_OF(conf_web_internal, web_internal_fields);

#define IN conf_web_handler
static const struct schema_field web_handler_fields[] = {
	{ "LogName", STRING(log_name), OPT, NULL, NULL,
	    "Name in logs and counters." },
	{ "Domain", STRING(domain), REQ, NULL, field_domain,
	    "Host name of requests." },
	{ "PathRegexp", STRING(path_regexp), REQ, NULL, field_path_regexp,
	    "Matches the path of requests; begins with ^." },
	{ "DontRedirectPlainHTTP", BOOL(dont_redirect_plain_http), OPT, NULL,
	    NULL, "Serve requests without TLS instead of redirecting them." },
	{ "Compress", BOOL(compress), OPT, NULL, NULL,
	    "Compress responses that gain by it." },
	{ "WebStatic", STRUCT(web_static, conf_web_static, web_static), OPT,
	    NULL, NULL, "Serve files. Exactly one of these must be set." },
	{ "WebRedirect", STRUCT(web_redirect, conf_web_redirect, web_redirect),
	    OPT, NULL, NULL, "Redirect to another URL." },
	{ "WebForward", STRUCT(web_forward, conf_web_forward, web_forward), OPT,
	    NULL, NULL, "Forward to another server." },
	{ "WebInternal", STRUCT(web_internal, conf_web_internal, web_internal),
	    OPT, NULL, NULL, "Serve one of our own services." },
};
#undef IN
const struct schema conf_web_handler_schema =
    SCHEMA_OF(conf_web_handler, web_handler_fields);
