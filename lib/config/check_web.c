#include "config/check.h"
#include "config/field.h"

static bool
serves_web(const struct config *config)
{
	const struct conf_listeners *listeners = &config->mox.listeners;

	for (size_t i = 0; i < listeners->n; i++) {
		const struct conf_listener *l = &listeners->v[i];

		if ((l->webserver_http && l->webserver_http->enabled) ||
		    (l->webserver_https && l->webserver_https->enabled))
			return true;
	}
	return false;
}

static void
check_redirect(const struct sconf_file *file, const struct conf_web_redirect *r)
{
	if ((r->orig_path_regexp.n > 0) != (r->replace_path.n > 0))
		sconf_error(file, r->name,
		    "WebRedirect: OrigPathRegexp and ReplacePath need each "
		    "other");
	else if (r->base_url.n == 0 && r->replace_path.n == 0)
		sconf_error(file, r->name,
		    "WebRedirect: needs BaseURL, or OrigPathRegexp and "
		    "ReplacePath");
}

static void
check_handler(const struct sconf_file *file, const struct conf_web_handler *h)
{
	int kinds = (h->web_static != NULL) + (h->web_redirect != NULL) +
	    (h->web_forward != NULL) + (h->web_internal != NULL);

	if (kinds != 1)
		sconf_error(file, h->name,
		    "WebHandlers: exactly one of WebStatic, WebRedirect, "
		    "WebForward, WebInternal must be set, not %d",
		    kinds);
	if (h->web_redirect)
		check_redirect(file, h->web_redirect);
}

void
check_web(const struct check_model *model)
{
	const struct sconf_file *file = model->file;
	const struct conf_pairs *redirects = &model->conf->web_domain_redirects;
	const struct conf_web_handlers *handlers = &model->conf->web_handlers;

	for (size_t i = 0; i < redirects->n; i++) {
		const struct conf_pair *r = &redirects->v[i];

		if (field_domain(&r->name))
			sconf_error(file, r->name,
			    "WebDomainRedirects: \"%.*s\" %s",
			    SLICE_FMT(r->name), field_domain(&r->name));
		if (slice_eq(r->name, r->value))
			sconf_error(file, r->name,
			    "WebDomainRedirects: \"%.*s\" redirects to itself",
			    SLICE_FMT(r->name));
	}
	for (size_t i = 0; i < handlers->n; i++)
		check_handler(file, &handlers->v[i]);
	if (serves_web(model->config))
		return;
	if (redirects->n > 0)
		sconf_error(file,
		    sconf_find(file, SLICE_NULL, "WebDomainRedirects"),
		    "WebDomainRedirects: needs a listener with WebserverHTTP "
		    "or WebserverHTTPS in mox.conf");
	if (handlers->n > 0)
		sconf_error(file, sconf_find(file, SLICE_NULL, "WebHandlers"),
		    "WebHandlers: needs a listener with WebserverHTTP or "
		    "WebserverHTTPS in mox.conf");
}
