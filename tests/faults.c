/* A disk with faults, for tests: put before a program by LD_PRELOAD, it refuses or holds up what
 * the program, and the libraries in it, ask of the files in one folder. See faults.py.
 *
 * FAULTS holds rules, separated by `;`, each of words: `calls=write,pwrite errno=28 after=65536`.
 *   calls     which calls it is about, by the names of `call_names`
 *   errno     what they fail with; without it they go on as ever
 *   hang      seconds that they take before
 *   after     strikes once so many bytes of any file have been asked to be written, and from then
 * on beyond    strikes what is to be written beyond so many bytes of its file, and nothing else
 *   skip      so many of the calls that it would strike go by first
 *   times     strikes so often, then never again; without it for ever
 *   while     strikes only while there is a file of that path
 * FAULTS_LOG is where each call that was struck gets a line: its name, what it fails with, whether
 * the main thread made it or another one, and the file. */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum call {
    OPEN,
    CLOSE,
    READ,
    PREAD,
    WRITE,
    PWRITE,
    LSEEK,
    FTRUNCATE,
    FSYNC,
    FDATASYNC,
    FSTAT,
    STAT,
    FSTATVFS,
    STATVFS,
    RENAME,
    UNLINK,
    DUP,
    FCNTL,
    FLOCK,
    MKDIR,
    THREAD, /* no call of a disk, but refused in the same way: pthread_create, wherever it is called
             */
    CALLS
};

static const char *const call_names[CALLS] = {
    "open",      "close",  "read",      "pread", "write", "pwrite",   "lseek",
    "ftruncate", "fsync",  "fdatasync", "fstat", "stat",  "fstatvfs", "statvfs",
    "rename",    "unlink", "dup",       "fcntl", "flock", "mkdir",    "thread"};

enum { MOST_RULES = 16 };

struct rule {
    unsigned calls; /* a bit for each */
    int error;
    double hang_seconds;
    long long after_bytes;  /* -1: from the beginning */
    long long beyond_bytes; /* -1: anywhere */
    long skip;
    long times; /* -1: for ever */
    char only_while[256];
};

static struct rule rules[MOST_RULES];
static int rule_count;
static long long
    most_bytes; /* the end of what was asked to be written, in the file that is longest */
static const char *folder;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* The function that would have been called without this library. A file is in one of the C
 * library's versions of old where it was linked against an old one. */
static void *real_function(const char *name) {
    void *function = dlsym(RTLD_NEXT, name);
    return function ? function : dlvsym(RTLD_NEXT, name, "GLIBC_2.2.5");
}

#define REAL(name)                                                                                 \
    static __typeof__(&name) real;                                                                 \
    if (!real)                                                                                     \
    *(void **)&real = real_function(#name)

/* ---- rules ---- */

void read_rules(void);

static void parse_calls(struct rule *r, char *names) {
    char *rest = NULL;
    for (char *name = strtok_r(names, ",", &rest); name; name = strtok_r(NULL, ",", &rest)) {
        int call = 0;
        while (call < CALLS && strcmp(call_names[call], name) != 0)
            ++call;
        if (call == CALLS)
            abort();
        r->calls |= 1u << call;
    }
}

static void parse_word(struct rule *r, char *word) {
    char *value = strchr(word, '=');
    if (!value)
        abort();
    *value++ = '\0';
    if (!strcmp(word, "calls"))
        parse_calls(r, value);
    else if (!strcmp(word, "errno"))
        r->error = atoi(value);
    else if (!strcmp(word, "hang"))
        r->hang_seconds = atof(value);
    else if (!strcmp(word, "after"))
        r->after_bytes = atoll(value);
    else if (!strcmp(word, "beyond"))
        r->beyond_bytes = atoll(value);
    else if (!strcmp(word, "skip"))
        r->skip = atol(value);
    else if (!strcmp(word, "times"))
        r->times = atol(value);
    else if (!strcmp(word, "while"))
        snprintf(r->only_while, sizeof r->only_while, "%s", value);
    else
        abort();
}

/* Called again in a fork that is to have rules of its own. */
__attribute__((constructor)) void read_rules(void) {
    rule_count = 0;
    most_bytes = 0;
    folder = getenv("FAULTY_FOLDER");
    const char *given = getenv("FAULTS");
    char *text = strdup(folder && given ? given : "");
    char *rest = NULL;
    for (char *part = strtok_r(text, ";", &rest); part; part = strtok_r(NULL, ";", &rest)) {
        if (rule_count == MOST_RULES)
            abort();
        struct rule *r = &rules[rule_count++];
        *r = (struct rule){.after_bytes = -1, .beyond_bytes = -1, .times = -1};
        char *words = NULL;
        for (char *word = strtok_r(part, " ", &words); word; word = strtok_r(NULL, " ", &words))
            parse_word(r, word);
    }
    free(text);
}

/* Whether the rule strikes this call; under the lock. `end` is where the file would end by it, -1
 * for what is not written. */
static int strikes(struct rule *r, enum call call, long long end) {
    if (!(r->calls >> call & 1) || r->times == 0)
        return 0;
    if (r->after_bytes > most_bytes || (r->beyond_bytes >= 0 && end <= r->beyond_bytes))
        return 0;
    if (r->only_while[0] && syscall(SYS_access, r->only_while, F_OK) != 0)
        return 0;
    if (r->skip > 0) {
        r->skip -= 1;
        return 0;
    }
    r->times -= r->times > 0;
    return 1;
}

/* Without any of the functions that this library stands before. */
static void log_strike(enum call call, const struct rule *r, const char *path) {
    const char *log = getenv("FAULTS_LOG");
    if (!log)
        return;
    char line[PATH_MAX + 64];
    const char *thread = syscall(SYS_gettid) == syscall(SYS_getpid) ? "main" : "another";
    const int length =
        snprintf(line, sizeof line, "%s %d %s %s\n", call_names[call], r->error, thread, path);
    const long file = syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND, 0666);
    if (file < 0 || length < 0)
        return;
    syscall(SYS_write, file, line, (size_t)length);
    syscall(SYS_close, file);
}

static void hang(double seconds) {
    struct timespec left = {(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};
    while (nanosleep(&left, &left) != 0 && errno == EINTR)
        ;
}

/* Returns what the call is to fail with, after it has hung where it is to; 0 where it is to go on.
 */
static int struck(enum call call, const char *path, long long end) {
    const int before = errno;
    double seconds = 0;
    int error = 0;
    pthread_mutex_lock(&lock);
    if (end > most_bytes)
        most_bytes = end;
    for (int i = 0; i < rule_count; ++i)
        if (strikes(&rules[i], call, end)) {
            seconds += rules[i].hang_seconds;
            error = rules[i].error ? rules[i].error : error;
            log_strike(call, &rules[i], path);
        }
    pthread_mutex_unlock(&lock);
    if (seconds > 0)
        hang(seconds);
    errno = before;
    return error;
}

/* ---- which files ---- */

static int is_in_folder(const char *path) {
    const size_t length = folder ? strlen(folder) : 0;
    return length && !strncmp(path, folder, length) &&
           (path[length] == '/' || path[length] == '\0');
}

/* Returns the path of an open file if it is in the folder, else NULL. */
static const char *path_of(int descriptor, char path[PATH_MAX]) {
    if (!rule_count)
        return NULL;
    const int before = errno;
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    const ssize_t length = syscall(SYS_readlink, link, path, PATH_MAX - 1);
    errno = before;
    if (length < 0)
        return NULL;
    path[length] = '\0';
    return is_in_folder(path) ? path : NULL;
}

/* The same for a name: relative to a folder, or one of those that stand for a descriptor. */
static const char *path_at(int folder_descriptor, const char *name, char path[PATH_MAX]) {
    if (!rule_count || !name)
        return NULL;
    int descriptor;
    if (sscanf(name, "/dev/fd/%d", &descriptor) == 1 ||
        sscanf(name, "/proc/self/fd/%d", &descriptor) == 1)
        return path_of(descriptor, path);
    if (name[0] == '/') {
        snprintf(path, PATH_MAX, "%s", name);
        return is_in_folder(path) ? path : NULL;
    }
    char link[64] = "/proc/self/cwd";
    if (folder_descriptor != AT_FDCWD)
        snprintf(link, sizeof link, "/proc/self/fd/%d", folder_descriptor);
    const int before = errno;
    const ssize_t length = syscall(SYS_readlink, link, path, PATH_MAX - 1);
    errno = before;
    if (length < 0)
        return NULL;
    snprintf(path + length, (size_t)(PATH_MAX - length), "/%s", name);
    return is_in_folder(path) ? path : NULL;
}

static int fails(enum call call, int descriptor, long long end) {
    char buffer[PATH_MAX];
    const char *path = path_of(descriptor, buffer);
    const int error = path ? struck(call, path, end) : 0;
    if (error)
        errno = error;
    return error;
}

static int fails_at(enum call call, int folder_descriptor, const char *name) {
    char buffer[PATH_MAX];
    const char *path = path_at(folder_descriptor, name, buffer);
    const int error = path ? struck(call, path, -1) : 0;
    if (error)
        errno = error;
    return error;
}

/* Where the file would end by so many bytes at the descriptor's place. */
static long long end_of(int descriptor, size_t bytes) {
    const int before = errno;
    const long place = syscall(SYS_lseek, descriptor, 0L, SEEK_CUR);
    errno = before;
    return place < 0 ? (long long)bytes : place + (long long)bytes;
}

/* ---- the calls; each also by the names that it has in large files and in hardened programs ----
 */

#define OPENS(name)                                                                                \
    int name(const char *path, int flags, ...) {                                                   \
        REAL(name);                                                                                \
        va_list more;                                                                              \
        va_start(more, flags);                                                                     \
        const mode_t mode = flags & (O_CREAT | __O_TMPFILE) ? va_arg(more, mode_t) : 0;            \
        va_end(more);                                                                              \
        return fails_at(OPEN, AT_FDCWD, path) ? -1 : real(path, flags, mode);                      \
    }
OPENS(open)
OPENS(open64)

#define OPENS_AT(name)                                                                             \
    int name(int at, const char *path, int flags, ...) {                                           \
        REAL(name);                                                                                \
        va_list more;                                                                              \
        va_start(more, flags);                                                                     \
        const mode_t mode = flags & (O_CREAT | __O_TMPFILE) ? va_arg(more, mode_t) : 0;            \
        va_end(more);                                                                              \
        return fails_at(OPEN, at, path) ? -1 : real(at, path, flags, mode);                        \
    }
OPENS_AT(openat)
OPENS_AT(openat64)

/* Every function here returns -1 where it fails. */
#define BY_DESCRIPTOR(call, type, name, parameters, arguments, end)                                \
    type name parameters;                                                                          \
    type name parameters {                                                                         \
        REAL(name);                                                                                \
        return fails(call, descriptor, end) ? (type)-1 : real arguments;                           \
    }
#define BY_NAME(call, name, parameters, arguments, at, path)                                       \
    int name parameters;                                                                           \
    int name parameters {                                                                          \
        REAL(name);                                                                                \
        return fails_at(call, at, path) ? -1 : real arguments;                                     \
    }

BY_NAME(OPEN, __open_2, (const char *path, int flags), (path, flags), AT_FDCWD, path)
BY_NAME(OPEN, __open64_2, (const char *path, int flags), (path, flags), AT_FDCWD, path)

BY_DESCRIPTOR(READ, ssize_t, read, (int descriptor, void *bytes, size_t count),
              (descriptor, bytes, count), -1)
BY_DESCRIPTOR(PREAD, ssize_t, pread, (int descriptor, void *bytes, size_t count, off_t place),
              (descriptor, bytes, count, place), -1)
BY_DESCRIPTOR(PREAD, ssize_t, pread64, (int descriptor, void *bytes, size_t count, off64_t place),
              (descriptor, bytes, count, place), -1)
BY_DESCRIPTOR(WRITE, ssize_t, write, (int descriptor, const void *bytes, size_t count),
              (descriptor, bytes, count), end_of(descriptor, count))
BY_DESCRIPTOR(PWRITE, ssize_t, pwrite,
              (int descriptor, const void *bytes, size_t count, off_t place),
              (descriptor, bytes, count, place), place + (long long)count)
BY_DESCRIPTOR(PWRITE, ssize_t, pwrite64,
              (int descriptor, const void *bytes, size_t count, off64_t place),
              (descriptor, bytes, count, place), place + (long long)count)
BY_DESCRIPTOR(FTRUNCATE, int, ftruncate, (int descriptor, off_t size), (descriptor, size), -1)
BY_DESCRIPTOR(FTRUNCATE, int, ftruncate64, (int descriptor, off64_t size), (descriptor, size), -1)
BY_DESCRIPTOR(FSYNC, int, fsync, (int descriptor), (descriptor), -1)
BY_DESCRIPTOR(FDATASYNC, int, fdatasync, (int descriptor), (descriptor), -1)
BY_DESCRIPTOR(FSTAT, int, fstat, (int descriptor, struct stat *status), (descriptor, status), -1)
BY_DESCRIPTOR(FSTAT, int, fstat64, (int descriptor, struct stat64 *status), (descriptor, status),
              -1)
BY_DESCRIPTOR(FSTAT, int, __fxstat, (int version, int descriptor, struct stat *status),
              (version, descriptor, status), -1)
BY_DESCRIPTOR(FSTAT, int, __fxstat64, (int version, int descriptor, struct stat64 *status),
              (version, descriptor, status), -1)
BY_DESCRIPTOR(FSTATVFS, int, fstatvfs, (int descriptor, struct statvfs *status),
              (descriptor, status), -1)
BY_DESCRIPTOR(FSTATVFS, int, fstatvfs64, (int descriptor, struct statvfs64 *status),
              (descriptor, status), -1)
BY_DESCRIPTOR(DUP, int, dup, (int descriptor), (descriptor), -1)
BY_DESCRIPTOR(DUP, int, dup2, (int descriptor, int other), (descriptor, other), -1)
BY_DESCRIPTOR(DUP, int, dup3, (int descriptor, int other, int flags), (descriptor, other, flags),
              -1)
BY_DESCRIPTOR(FLOCK, int, flock, (int descriptor, int operation), (descriptor, operation), -1)

BY_NAME(STAT, stat, (const char *restrict path, struct stat *restrict status), (path, status),
        AT_FDCWD, path)
BY_NAME(STAT, stat64, (const char *restrict path, struct stat64 *restrict status), (path, status),
        AT_FDCWD, path)
BY_NAME(STAT, lstat, (const char *restrict path, struct stat *restrict status), (path, status),
        AT_FDCWD, path)
BY_NAME(STAT, lstat64, (const char *restrict path, struct stat64 *restrict status), (path, status),
        AT_FDCWD, path)
BY_NAME(STAT, fstatat, (int at, const char *restrict path, struct stat *restrict status, int flags),
        (at, path, status, flags), at, path)
BY_NAME(STAT, fstatat64,
        (int at, const char *restrict path, struct stat64 *restrict status, int flags),
        (at, path, status, flags), at, path)
BY_NAME(STATVFS, statvfs, (const char *restrict path, struct statvfs *restrict status),
        (path, status), AT_FDCWD, path)
BY_NAME(STATVFS, statvfs64, (const char *restrict path, struct statvfs64 *restrict status),
        (path, status), AT_FDCWD, path)
BY_NAME(RENAME, rename, (const char *path, const char *to), (path, to), AT_FDCWD, path)
BY_NAME(RENAME, renameat, (int at, const char *path, int to_at, const char *to),
        (at, path, to_at, to), at, path)
BY_NAME(RENAME, renameat2,
        (int at, const char *path, int to_at, const char *to, unsigned int flags),
        (at, path, to_at, to, flags), at, path)
BY_NAME(RENAME, link, (const char *path, const char *to), (path, to), AT_FDCWD, path)
BY_NAME(RENAME, linkat, (int at, const char *path, int to_at, const char *to, int flags),
        (at, path, to_at, to, flags), at, path)
BY_NAME(UNLINK, unlink, (const char *path), (path), AT_FDCWD, path)
BY_NAME(UNLINK, unlinkat, (int at, const char *path, int flags), (at, path, flags), at, path)
BY_NAME(MKDIR, mkdir, (const char *path, mode_t mode), (path, mode), AT_FDCWD, path)
BY_NAME(MKDIR, mkdirat, (int at, const char *path, mode_t mode), (at, path, mode), at, path)

/* Whatever it says, the descriptor is free then. */
int close(int descriptor) {
    REAL(close);
    const int error = fails(CLOSE, descriptor, -1);
    const int result = real(descriptor);
    if (!error)
        return result;
    errno = error;
    return -1;
}

/* Where it is told how far from the beginning, or from the present place, no disk is asked. */
#define SEEKS(name, type)                                                                          \
    type name(int descriptor, type place, int from) {                                              \
        REAL(name);                                                                                \
        if (from != SEEK_SET && from != SEEK_CUR && fails(LSEEK, descriptor, -1))                  \
            return -1;                                                                             \
        return real(descriptor, place, from);                                                      \
    }
SEEKS(lseek, off_t)
SEEKS(lseek64, off64_t)

#define CONTROLS(name)                                                                             \
    int name(int descriptor, int command, ...) {                                                   \
        REAL(name);                                                                                \
        va_list more;                                                                              \
        va_start(more, command);                                                                   \
        void *argument = va_arg(more, void *);                                                     \
        va_end(more);                                                                              \
        return fails(FCNTL, descriptor, -1) ? -1 : real(descriptor, command, argument);            \
    }
CONTROLS(fcntl)
CONTROLS(fcntl64)

int pthread_create(pthread_t *restrict thread, const pthread_attr_t *restrict attributes,
                   void *(*start)(void *), void *restrict argument) {
    REAL(pthread_create);
    const int error = rule_count ? struck(THREAD, "", -1) : 0;
    return error ? error : real(thread, attributes, start, argument);
}
