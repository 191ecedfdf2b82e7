/* A client of JACK that plays the numbers of frames: that of a frame is the time at which it is
 * due, counted in frames since an instant that is given. So two of them, one after the other, play
 * one ramp, whatever has become of the server in between.
 *
 * It prints the number of a frame now and then, and by how many frames such a frame is late at the
 * least; and, when the server went on without it, "lost", the first number that it did not play and
 * how many. Arguments: the instant, of the monotonic clock in nanoseconds; the port to play to.
 * Should the server go, it ends. */
#include <dlfcn.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

typedef struct client client;
typedef struct port port;

enum { IS_OUTPUT = 2, NO_START_SERVER = 1, NUMBERS = 1 << 23, LOSSES = 256 };

static void *(*get_buffer)(port *, uint32_t);
static uint32_t (*last_frame_time)(const client *);
static client *self;
static port *output;
static port *silent_output;
static double frames_per_ns;
static int64_t instant_ns;
static _Atomic int is_playing;
static int64_t listened_frames;
static int has_begun;
static uint32_t first_time;
static int64_t least = INT64_MAX;        /* of the frames that are due before the first cycle */
static _Atomic int64_t late = INT64_MAX; /* the least of some cycles, in frames */
static _Atomic int64_t number;
static uint32_t next_time;
static struct { int64_t first, frames; } losses[LOSSES];
static _Atomic int loss_count;

static int64_t now_ns(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static int play(uint32_t frames, void *unused) {
    (void)unused;
    float *samples = get_buffer(output, frames);
    memset(get_buffer(silent_output, frames), 0, frames * sizeof *samples);
    const uint32_t time = last_frame_time(self);
    /* A server may count otherwise from the second cycle on: PipeWire, whose driver has changed. */
    if (!has_begun || (!is_playing && time != next_time)) {
        first_time = time;
        least = INT64_MAX;
        has_begun = 1;
    }
    const int64_t passed = (int64_t)(uint32_t)(time - first_time);
    const int64_t due = (int64_t)((double)(now_ns() - instant_ns) * frames_per_ns) - passed;
    if (passed < listened_frames) { /* the cycle that is least late tells the time */
        least = due < least ? due : least;
    } else {
        const int32_t lost = (int32_t)(time - next_time);
        if (is_playing && lost > 0 && loss_count < LOSSES) {
            losses[loss_count].frames = lost;
            losses[loss_count].first = least + passed - lost;
            ++loss_count;
        }
        is_playing = 1;
        late = due - least < late ? due - least : late;
        number = least + passed;
    }
    next_time = time + frames;
    for (uint32_t i = 0; i < frames; ++i)
        samples[i] = !is_playing ? 0 : (float)((least + passed + i) % NUMBERS) / NUMBERS;
    return 0;
}

static void end(void *unused) {
    (void)unused;
    _exit(0);
}

int main(int count, char **arguments) {
    void *library = dlopen("libjack.so.0", RTLD_NOW);
    if (count != 3 || !library)
        return 2;
    client *(*open_client)(const char *, int, int *, ...);
    port *(*add_port)(client *, const char *, const char *, unsigned long, unsigned long);
    uint32_t (*rate)(client *);
    int (*on_cycle)(client *, int (*)(uint32_t, void *), void *);
    void (*on_end)(client *, void (*)(void *), void *);
    int (*activate)(client *);
    int (*joined)(client *, const char *, const char *);
    const char *(*name_of)(const port *);
    const struct {
        const char *name;
        void *function;
    } names[] = {
        {"jack_client_open", &open_client},
        {"jack_port_register", &add_port},
        {"jack_get_sample_rate", &rate},
        {"jack_set_process_callback", &on_cycle},
        {"jack_on_shutdown", &on_end},
        {"jack_activate", &activate},
        {"jack_connect", &joined},
        {"jack_port_name", &name_of},
        {"jack_port_get_buffer", &get_buffer},
        {"jack_last_frame_time", &last_frame_time},
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; ++i)
        if (!(*(void **)names[i].function = dlsym(library, names[i].name)))
            return 2;
    instant_ns = atoll(arguments[1]);
    self = open_client("witness", NO_START_SERVER, NULL);
    if (!self)
        return 1;
    frames_per_ns = rate(self) / 1e9;
    listened_frames = rate(self) / 3;
    static const char kind[] = "32 bit float mono audio";
    silent_output = add_port(self, "silence", kind, IS_OUTPUT, 0);
    output = add_port(self, "numbers", kind, IS_OUTPUT, 0);
    on_cycle(self, play, NULL);
    on_end(self, end, NULL);
    if (!silent_output || !output || activate(self) || joined(self, name_of(output), arguments[2]))
        return 1;
    while (!is_playing)
        usleep(1000);
    printf("plays\n");
    fflush(stdout);
    for (int told = 0;; usleep(300000)) {
        const long long at = number, by = late;
        late = INT64_MAX;
        for (; told < loss_count; ++told)
            printf("lost %lld %lld\n", (long long)losses[told].first,
                   (long long)losses[told].frames);
        if (at && by != INT64_MAX) {
            printf("%lld %lld\n", at, by);
            fflush(stdout);
        }
    }
}
