#include "tools/store_tool.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "base/proc.h"
#include "service/user.h"

void
store_tool_open(const char *program, struct store_env *env,
    const struct config *config, struct arena *arena)
{
	const char *dir = config->data_dir;
	struct err e = ERR_INIT;
	struct stat s;

	if (user_become_owner(dir, &e) < 0)
		proc_die(program, &e);
	env->data_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (env->data_fd < 0 || fstat(env->data_fd, &s) != 0) {
		err_sys(&e, "%s", dir);
		proc_die(program, &e);
	}
	env->run_fd =
	    openat(env->data_fd, "../run", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	env->hostname = arena_cstr(arena, config->hostname);
	env->clock = clock_program();
	env->file_mode = s.st_mode & 0060 ? 0660 : 0600;
	env->text_max = (uint64_t)config->mox.text_index_size;
}
