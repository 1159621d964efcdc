#include "tools/store_tool.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "base/proc.h"
#include "service/user.h"

int
store_tool_data(const char *dir, struct err *e)
{
	int fd;

	if (user_become_owner(dir, e) < 0)
		return -1;
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? err_sys(e, "%s", dir) : fd;
}

void
store_tool_env(const char *program, const char *dir, struct store_env *env)
{
	struct err e = ERR_INIT;
	struct stat s;

	env->data_fd = store_tool_data(dir, &e);
	if (env->data_fd < 0)
		proc_die(program, &e);
	if (fstat(env->data_fd, &s) != 0) {
		err_sys(&e, "%s", dir);
		proc_die(program, &e);
	}
	env->run_fd = -1;
	env->file_mode = s.st_mode & 0060 ? 0660 : 0600;
}

void
store_tool_open(const char *program, struct store_env *env,
    const struct config *config, struct arena *arena)
{
	store_tool_env(program, config->data_dir, env);
	env->run_fd =
	    openat(env->data_fd, "../run", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	env->hostname = arena_cstr(arena, config->hostname);
	env->clock = clock_program();
	env->text_max = (uint64_t)config->mox.text_index_size;
}
