/* Renames a file to a name that is free. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "_output_file.h"

/* The rename that refuses to replace a file. Not every file system has one. */
static int rename_exclusively(int folder, const char *from, const char *to) {
#if defined(__APPLE__)
    return renameatx_np(folder, from, folder, to, RENAME_EXCL);
#elif defined(RENAME_NOREPLACE)
    return renameat2(folder, from, folder, to, RENAME_NOREPLACE);
#else
    errno = ENOSYS;
    return -1;
#endif
}

/* A link never replaces a file either, but file systems made for cards and sticks have no links. */
static int link_and_unlink(int folder, const char *from, const char *to) {
    if (linkat(folder, from, folder, to, 0) != 0)
        return -1;
    return unlinkat(folder, from, 0);
}

/* For file systems that have neither: a file that appears between the two calls is replaced. */
static int look_and_rename(int folder, const char *from, const char *to) {
    struct stat there;
    if (fstatat(folder, to, &there, AT_SYMLINK_NOFOLLOW) == 0) {
        errno = EEXIST;
        return -1;
    }
    return errno == ENOENT ? renameat(folder, from, folder, to) : -1;
}

static int is_not_possible(int error) {
    return error == EINVAL || error == ENOSYS || error == ENOTSUP || error == EPERM ||
           error == EOPNOTSUPP;
}

int rename_to_free_name(int folder, const char *name, const char *free_name) {
    if (rename_exclusively(folder, name, free_name) == 0)
        return 0;
    if (is_not_possible(errno) && link_and_unlink(folder, name, free_name) == 0)
        return 0;
    if (is_not_possible(errno) && look_and_rename(folder, name, free_name) == 0)
        return 0;
    return errno;
}
