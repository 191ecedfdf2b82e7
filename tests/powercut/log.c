/* Put before a program by LD_PRELOAD, it logs what the program does to the files of one folder:
 * each write, truncation, sync, and change of a name. See journal.py.
 *
 * POWERCUT_FOLDER is that folder, POWERCUT_LOG the log: records, each with a name and data behind
 * it. A sync is logged when it begins and when it has ended, and covers what was logged before its
 * beginning. All else is logged when it is done, so what a sync covers is never overstated.
 * POWERCUT_SPARSE: zeros are not written, but passed over, so that a file of 4 GiB costs nothing.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { MOST_NAME_BYTES = 4096 };

/* The same in journal.py. */
struct record {
    int64_t ns;
    int64_t inode;
    int64_t folder; /* of the name */
    int64_t offset; /* of a write; the new size; the inode of the other folder */
    int64_t data_bytes;
    int64_t name_bytes;
    char what; /* w write, z zeros, t truncate, s sync begins, S it has ended, c create, r rename, l
                  link, u unlink */
    char is_refused;
    char padding[6];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int log_descriptor = -1;

static int is_below(int descriptor) {
    char link[64], path[MOST_NAME_BYTES];
    const char *folder = getenv("POWERCUT_FOLDER");
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    const ssize_t length = readlink(link, path, sizeof path - 1);
    if (!folder || length < 0)
        return 0;
    path[length] = '\0';
    return strncmp(path, folder, strlen(folder)) == 0;
}

static int64_t inode_of(int descriptor) {
    struct stat status;
    return fstat(descriptor, &status) == 0 ? (int64_t)status.st_ino : -1;
}

static void put(const void *bytes, size_t count) {
    const ssize_t written = syscall(SYS_write, log_descriptor, bytes, count);
    if (written != (ssize_t)count)
        abort();
}

static void note(struct record r, const char *name, const void *data) {
    const int error = errno;
    struct timespec now;
    pthread_mutex_lock(&lock);
    if (log_descriptor < 0)
        log_descriptor = (int)syscall(SYS_openat, AT_FDCWD, getenv("POWERCUT_LOG"),
                                      O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0644);
    clock_gettime(CLOCK_MONOTONIC, &now);
    r.ns = now.tv_sec * 1000000000LL + now.tv_nsec;
    r.name_bytes = name ? (int64_t)strlen(name) : 0;
    put(&r, sizeof r);
    if (name)
        put(name, (size_t)r.name_bytes);
    if (data)
        put(data, (size_t)r.data_bytes);
    pthread_mutex_unlock(&lock);
    errno = error;
}

/* ---- content ---- */

static int is_zeros(const char *bytes, size_t count) {
    return count >= 4096 && !*bytes && memcmp(bytes, bytes + 1, count - 1) == 0;
}

static ssize_t write_at(int descriptor, const void *bytes, size_t count, off_t at, int moves) {
    if (getenv("POWERCUT_SPARSE") && is_zeros(bytes, count)) {
        struct stat status;
        const off_t end = at + (off_t)count;
        if (fstat(descriptor, &status) == 0 && status.st_size < end)
            syscall(SYS_ftruncate, descriptor, end);
        if (moves)
            syscall(SYS_lseek, descriptor, end, SEEK_SET);
        note((struct record){.what = 'z',
                             .inode = inode_of(descriptor),
                             .offset = at,
                             .data_bytes = (int64_t)count},
             NULL, NULL);
        return (ssize_t)count;
    }
    const ssize_t written = moves ? syscall(SYS_write, descriptor, bytes, count)
                                  : syscall(SYS_pwrite64, descriptor, bytes, count, at);
    if (written > 0)
        note(
            (struct record){
                .what = 'w', .inode = inode_of(descriptor), .offset = at, .data_bytes = written},
            NULL, bytes);
    return written;
}

ssize_t write(int descriptor, const void *bytes, size_t count) {
    if (!is_below(descriptor))
        return syscall(SYS_write, descriptor, bytes, count);
    return write_at(descriptor, bytes, count, lseek(descriptor, 0, SEEK_CUR), 1);
}

ssize_t pwrite64(int descriptor, const void *bytes, size_t count, off64_t at) {
    if (!is_below(descriptor))
        return syscall(SYS_pwrite64, descriptor, bytes, count, at);
    return write_at(descriptor, bytes, count, at, 0);
}

ssize_t pwrite(int descriptor, const void *bytes, size_t count, off_t at) {
    return pwrite64(descriptor, bytes, count, at);
}

int ftruncate64(int descriptor, off64_t size) {
    const int result = (int)syscall(SYS_ftruncate, descriptor, size);
    if (result == 0 && is_below(descriptor))
        note((struct record){.what = 't', .inode = inode_of(descriptor), .offset = size}, NULL,
             NULL);
    return result;
}

int ftruncate(int descriptor, off_t size) {
    return ftruncate64(descriptor, size);
}

static int synced(int descriptor, long call) {
    if (!is_below(descriptor))
        return (int)syscall(call, descriptor);
    const int64_t inode = inode_of(descriptor);
    note((struct record){.what = 's', .inode = inode}, NULL, NULL);
    const int result = (int)syscall(call, descriptor);
    note((struct record){.what = 'S', .inode = inode, .is_refused = result != 0}, NULL, NULL);
    return result;
}

int fsync(int descriptor) {
    return synced(descriptor, SYS_fsync);
}

int fdatasync(int descriptor) {
    return synced(descriptor, SYS_fdatasync);
}

/* ---- names ---- */

/* Opens the folder that a path is in. Returns -1 if that is none of those that are logged. */
static int open_folder_of(int folder, const char *path, const char **name) {
    char parent[MOST_NAME_BYTES];
    const char *slash = strrchr(path, '/');
    *name = slash ? slash + 1 : path;
    snprintf(parent, sizeof parent, "%.*s", slash ? (int)(slash - path + 1) : 1,
             slash ? path : ".");
    const int found = (int)syscall(SYS_openat, folder, parent, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
    if (found >= 0 && is_below(found))
        return found;
    if (found >= 0)
        syscall(SYS_close, found);
    return -1;
}

static int64_t inode_at(int folder, const char *path) {
    struct stat status;
    return fstatat(folder, path, &status, AT_SYMLINK_NOFOLLOW) == 0 ? (int64_t)status.st_ino : -1;
}

static void note_name(char what, int folder, const char *path, int64_t inode, int64_t other_folder,
                      const char *other) {
    const char *name;
    const int parent = open_folder_of(folder, path, &name);
    if (parent < 0)
        return;
    note((struct record){.what = what,
                         .inode = inode,
                         .folder = inode_of(parent),
                         .offset = other_folder,
                         .data_bytes = other ? (int64_t)strlen(other) : 0},
         name, other);
    syscall(SYS_close, parent);
}

static int opened(int folder, const char *path, int flags, mode_t mode) {
    const int is_new = flags & O_CREAT && inode_at(folder, path) < 0;
    const int descriptor = (int)syscall(SYS_openat, folder, path, flags, mode);
    if (descriptor >= 0 && is_new)
        note_name('c', folder, path, inode_of(descriptor), 0, NULL);
    return descriptor;
}

static mode_t mode_in(int flags, va_list rest) {
    return flags & (O_CREAT | __O_TMPFILE) ? va_arg(rest, mode_t) : 0;
}

#define OPENED(folder, path, flags)                                                                \
    va_list rest;                                                                                  \
    va_start(rest, flags);                                                                         \
    const mode_t mode = mode_in(flags, rest);                                                      \
    va_end(rest);                                                                                  \
    return opened(folder, path, flags, mode)

int open(const char *path, int flags, ...) {
    OPENED(AT_FDCWD, path, flags);
}

int open64(const char *path, int flags, ...) {
    OPENED(AT_FDCWD, path, flags);
}

int openat(int folder, const char *path, int flags, ...) {
    OPENED(folder, path, flags);
}

int openat64(int folder, const char *path, int flags, ...) {
    OPENED(folder, path, flags);
}

/* A name that another one replaces, or that is another one for the same file. */
static void note_pair(char what, int old_folder, const char *old_path, int new_folder,
                      const char *new_path) {
    const char *old_name, *new_name;
    const int old_parent = open_folder_of(old_folder, old_path, &old_name);
    if (old_parent < 0)
        return;
    const int new_parent = open_folder_of(new_folder, new_path, &new_name);
    if (new_parent >= 0) {
        note_name(what, old_folder, old_path, inode_at(new_folder, new_path), inode_of(new_parent),
                  new_name);
        syscall(SYS_close, new_parent);
    }
    syscall(SYS_close, old_parent);
}

int renameat2(int old_folder, const char *old_path, int new_folder, const char *new_path,
              unsigned flags) {
    const int result =
        (int)syscall(SYS_renameat2, old_folder, old_path, new_folder, new_path, flags);
    if (result == 0)
        note_pair('r', old_folder, old_path, new_folder, new_path);
    return result;
}

int renameat(int old_folder, const char *old_path, int new_folder, const char *new_path) {
    return renameat2(old_folder, old_path, new_folder, new_path, 0);
}

int rename(const char *old_path, const char *new_path) {
    return renameat2(AT_FDCWD, old_path, AT_FDCWD, new_path, 0);
}

int linkat(int old_folder, const char *old_path, int new_folder, const char *new_path, int flags) {
    const int result = (int)syscall(SYS_linkat, old_folder, old_path, new_folder, new_path, flags);
    if (result == 0)
        note_pair('l', old_folder, old_path, new_folder, new_path);
    return result;
}

int link(const char *old_path, const char *new_path) {
    return linkat(AT_FDCWD, old_path, AT_FDCWD, new_path, 0);
}

int unlinkat(int folder, const char *path, int flags) {
    const int64_t inode = inode_at(folder, path);
    const int result = (int)syscall(SYS_unlinkat, folder, path, flags);
    if (result == 0)
        note_name('u', folder, path, inode, 0, NULL);
    return result;
}

int unlink(const char *path) {
    return unlinkat(AT_FDCWD, path, 0);
}
