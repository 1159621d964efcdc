/* commands - the table of commands after login, and what we can do. */
#include "imap/limit.h"
#include "service/service.h"

/* The account as a whole, and adding to it. */
#define ADMINISTRATION \
	" QUOTA QUOTA=RES-STORAGE MULTIAPPEND REPLACE CATENATE" \
	" METADATA LIST-METADATA URLAUTH URLAUTH=BINARY" \
	" ACL RIGHTS=texk LIST-MYRIGHTS NOTIFY"

/* What SEARCH and its kin can do. */
#define SEARCHING \
	" WITHIN INPROGRESS SORT SORT=DISPLAY ESORT I18NLEVEL=1" \
	" THREAD=ORDEREDSUBJECT THREAD=REFERENCES THREAD=REFS" \
	" CONTEXT=SEARCH CONTEXT=SORT SEARCH=FUZZY MULTISEARCH"

static const struct imap_def commands[] = {
	{ "CAPABILITY", imap_cmd_capability, IMAP_IN_BOTH, 0 },
	{ "NOOP", imap_cmd_noop, IMAP_IN_BOTH, 0 },
	{ "CHECK", imap_cmd_noop, IMAP_IN_SELECTED, 0 },
	{ "LOGOUT", imap_cmd_logout, IMAP_IN_BOTH, IMAP_NO_UPDATES },
	{ "ID", imap_cmd_id, IMAP_IN_BOTH, 0 },
	{ "ENABLE", imap_cmd_enable, IMAP_IN_BOTH, 0 },
	{ "UNAUTHENTICATE", imap_cmd_unauthenticate, IMAP_IN_BOTH,
	    IMAP_NO_UPDATES },
	{ "NAMESPACE", imap_cmd_namespace, IMAP_IN_BOTH, 0 },
	{ "SELECT", imap_cmd_select, IMAP_IN_BOTH, IMAP_NO_UPDATES },
	{ "EXAMINE", imap_cmd_select, IMAP_IN_BOTH, IMAP_NO_UPDATES },
	{ "CREATE", imap_cmd_create, IMAP_IN_BOTH, 0 },
	{ "DELETE", imap_cmd_delete, IMAP_IN_BOTH, 0 },
	{ "RENAME", imap_cmd_rename, IMAP_IN_BOTH, 0 },
	{ "SUBSCRIBE", imap_cmd_subscribe, IMAP_IN_BOTH, 0 },
	{ "UNSUBSCRIBE", imap_cmd_subscribe, IMAP_IN_BOTH, 0 },
	{ "LIST", imap_cmd_list, IMAP_IN_BOTH, IMAP_LISTS },
	{ "LSUB", imap_cmd_lsub, IMAP_IN_BOTH, IMAP_LISTS },
	{ "STATUS", imap_cmd_status, IMAP_IN_BOTH, 0 },
	{ "APPEND", imap_cmd_append, IMAP_IN_BOTH, IMAP_OWN },
	{ "IDLE", imap_cmd_idle, IMAP_IN_BOTH, 0 },
	{ "NOTIFY", imap_cmd_notify, IMAP_IN_BOTH, 0 },
	{ "CLOSE", imap_cmd_close, IMAP_IN_SELECTED, IMAP_NO_UPDATES },
	{ "UNSELECT", imap_cmd_unselect, IMAP_IN_SELECTED, IMAP_NO_UPDATES },
	{ "EXPUNGE", imap_cmd_expunge, IMAP_IN_SELECTED,
	    IMAP_HAS_UID | IMAP_OWN },
	{ "SEARCH", imap_cmd_search, IMAP_IN_SELECTED,
	    IMAP_HAS_UID | IMAP_NO_EXPUNGE | IMAP_NUMBERS },
	{ "ESEARCH", imap_cmd_esearch, IMAP_IN_BOTH, 0 },
	{ "CANCELUPDATE", imap_cmd_cancelupdate, IMAP_IN_SELECTED, 0 },
	{ "SORT", imap_cmd_sort, IMAP_IN_SELECTED,
	    IMAP_HAS_UID | IMAP_NO_EXPUNGE | IMAP_NUMBERS },
	{ "THREAD", imap_cmd_thread, IMAP_IN_SELECTED,
	    IMAP_HAS_UID | IMAP_NO_EXPUNGE | IMAP_NUMBERS },
	{ "FETCH", imap_cmd_fetch, IMAP_IN_SELECTED,
	    IMAP_HAS_UID | IMAP_NO_EXPUNGE | IMAP_NUMBERS },
	{ "STORE", imap_cmd_store, IMAP_IN_SELECTED,
	    IMAP_HAS_UID | IMAP_NO_EXPUNGE | IMAP_NUMBERS },
	{ "COPY", imap_cmd_copy, IMAP_IN_SELECTED,
	    IMAP_HAS_UID | IMAP_NUMBERS },
	{ "MOVE", imap_cmd_copy, IMAP_IN_SELECTED,
	    IMAP_HAS_UID | IMAP_NUMBERS | IMAP_OWN },
	{ "REPLACE", imap_cmd_replace, IMAP_IN_SELECTED,
	    IMAP_HAS_UID | IMAP_NUMBERS | IMAP_OWN },
	{ "GETMETADATA", imap_cmd_getmetadata, IMAP_IN_BOTH, 0 },
	{ "SETMETADATA", imap_cmd_setmetadata, IMAP_IN_BOTH, 0 },
	{ "GENURLAUTH", imap_cmd_genurlauth, IMAP_IN_BOTH, 0 },
	{ "RESETKEY", imap_cmd_resetkey, IMAP_IN_BOTH, 0 },
	{ "URLFETCH", imap_cmd_urlfetch, IMAP_IN_BOTH, 0 },
	{ "SETACL", imap_cmd_setacl, IMAP_IN_BOTH, 0 },
	{ "DELETEACL", imap_cmd_deleteacl, IMAP_IN_BOTH, 0 },
	{ "GETACL", imap_cmd_getacl, IMAP_IN_BOTH, 0 },
	{ "LISTRIGHTS", imap_cmd_listrights, IMAP_IN_BOTH, 0 },
	{ "MYRIGHTS", imap_cmd_myrights, IMAP_IN_BOTH, 0 },
	{ "COMPRESS", imap_cmd_compress, IMAP_IN_BOTH, 0 },
	{ "GETQUOTA", imap_cmd_getquota, IMAP_IN_BOTH, 0 },
	{ "GETQUOTAROOT", imap_cmd_getquotaroot, IMAP_IN_BOTH, 0 },
	{ "UIDBATCHES", imap_cmd_uidbatches, IMAP_IN_SELECTED, 0 },
};

const struct imap_def *
imap_find_command(struct slice name)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++)
		if (slice_isi(name, commands[i].name))
			return &commands[i];
	return NULL;
}

static void
all_capabilities(struct buf *b)
{
	buf_addz(b,
	    "IMAP4rev2 IMAP4rev1 ENABLE LITERAL+ IDLE SASL-IR BINARY "
	    "UNSELECT UIDPLUS ESEARCH SEARCHRES MOVE UTF8=ACCEPT "
	    "LIST-EXTENDED SPECIAL-USE CREATE-SPECIAL-USE LIST-STATUS "
	    "ID CONDSTORE STATUS=SIZE NAMESPACE");
	buf_addz(b, SEARCHING);
	buf_addz(b,
	    " QRESYNC OBJECTID SAVEDATE PREVIEW PARTIAL UIDONLY UIDBATCHES"
	    " COMPRESS=DEFLATE");
	buf_addz(b, ADMINISTRATION);
	if (imap_message_limit)
		buf_addf(b, " MESSAGELIMIT=%u", imap_message_limit);
	buf_addf(b, " APPENDLIMIT=%llu", (unsigned long long)IMAP_APPEND_MAX);
}

bool
imap_disabled(const struct imap_session *s, struct slice name)
{
	for (size_t i = 0; i < s->ndisabled; i++)
		if (slice_eqi(s->disabled[i], name))
			return true;
	return false;
}

void
imap_capabilities(struct buf *b, const struct imap_session *s)
{
	struct buf all = BUF_INIT(4096);
	struct slice rest, word;
	size_t start = b->n;

	all_capabilities(&all);
	/* RFC 8437, 2: only who is logged in is told. */
	if (s && s->client && service_can_park(s->client))
		buf_addz(&all, " UNAUTHENTICATE");
	rest = buf_slice(&all);
	while (rest.n > 0) {
		slice_cut(rest, ' ', &word, &rest);
		if (s && imap_disabled(s, word))
			continue;
		if (b->n > start)
			buf_addc(b, ' ');
		buf_add(b, word);
	}
	buf_free(&all);
}
