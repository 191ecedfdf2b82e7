/* FAULTS holds rules, separated by `;`, each of words: `calls=write,pwrite errno=28 after=65536`.
 *   calls     which calls it is about, by the names of `call_names`
 *   errno     what they fail with; without it they go on as ever
 *   hang      seconds that they take before
 *   after     strikes once so many bytes of any file were to be written, and from then on
 *   beyond    strikes what is to be written beyond so many bytes of its file, and nothing else
 *   skip      so many of the calls that it would strike go by first
 *   times     strikes so often, then never again; without it for ever
 *   while     strikes only while there is a file of that path
 * FAULTS_LOG is where each call that was struck gets a line: its name, what it fails with, whether
 * the main thread made it or another one, and the file. */
#include "fault_rules.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

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
int rule_count;
static long long most_bytes; /* of any file, that were to be written */
const char *faulty_folder;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

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

__attribute__((constructor)) void read_rules(void) {
    rule_count = 0;
    most_bytes = 0;
    faulty_folder = getenv("FAULTY_FOLDER");
    const char *given = getenv("FAULTS");
    char *text = strdup(faulty_folder && given ? given : "");
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

int struck(enum call call, const char *path, long long end) {
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
