/* The follower: cuts a stream of Ogg, MPEG or FLAC into the sounds that follow each other in it. A
 * decoder is given one sound, from its beginning, and its end is the end of the pipe. */
#include "_follower.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "_file_window.h"
#include "_flac.h"
#include "_mpeg_frames.h"
#include "_ogg.h"
#include "_pipe.h"
#include "_sound_chain.h"

/* How many bytes must be there to judge whether frames of MPEG follow each other. */
enum { MPEG_LOOK_AHEAD_BYTES = 6144, LONGEST_TAG_BYTES = 1 << 24 };

struct state {
    const struct follower *f;
    struct file_window window; /* what has come */
    int64_t at;                /* in the window: what lies before has been dealt with */
    int64_t first_left;        /* of the bytes that had been read before */
    int64_t skip_bytes;        /* of a tag */
    int target;                /* -1: no sound has begun */
    int is_at_end;             /* of the source */
    int has_sound;             /* Ogg: the present sound has had more than its first pages */
    int is_flac;               /* Ogg: the present sound is FLAC, and is sent without its pages */
    struct ogg_sound sound;    /* Ogg: the present one */
    int is_in_step;            /* MPEG: a frame begins where the window does */
    int64_t gap_bytes;         /* MPEG: that were passed since the last frame, without tags */
    int gap_is_junk;           /* MPEG: not all of them are zeros */
    int64_t junk_bytes;        /* MPEG: between frames of the present sound */
    struct mpeg_frame kind;
    int64_t frames_said;     /* MPEG: that the present sound has by its index; -1: unknown */
    int64_t frames_sent;     /* MPEG: of the present sound */
    int64_t promised_frames; /* what the index promises in frames of sound */
};

/* Whether there is more to be done with what is there; if not, more must come, or all is over. */
enum step { GO_ON, WANTS_MORE, IS_OVER };

static const unsigned char *rest(const struct state *s) {
    return s->window.buffer + s->at;
}

static int64_t rest_bytes(const struct state *s) {
    return s->window.bytes - s->at;
}

static enum step drop(struct state *s, int64_t count) {
    s->at += count;
    return GO_ON;
}

static enum step send(struct state *s, int64_t count) {
    return write_all(s->target, rest(s), count) ? drop(s, count) : IS_OVER;
}

static int send_message(const struct state *s, const struct link_message *message) {
    return write_all(s->f->links, (const unsigned char *)message, sizeof *message);
}

/* Ends the present sound, and says what is wrong with it. The sound ends first: whoever plays it
 * takes no message before its end, and there may be no room for another message until then. */
static void end_link(struct state *s, int is_cut_off) {
    const struct link_message cut_off = {.event = CHAIN_LINK_CUT_OFF};
    const struct link_message missing = {.event = CHAIN_FRAMES_MISSING,
                                         .frames = s->promised_frames};
    const struct link_message torn = {.event = CHAIN_PAGES_MISSING};
    const struct link_message junk = {.event = CHAIN_JUNK, .frames = s->junk_bytes};
    if (s->target < 0)
        return;
    close(s->target);
    s->target = -1;
    if (s->sound.is_torn)
        send_message(s, &torn);
    if (s->junk_bytes)
        send_message(s, &junk);
    if (s->frames_said > s->frames_sent + 1) /* some encoders count the index */
        send_message(s, &missing);
    else if (is_cut_off)
        send_message(s, &cut_off);
}

static int begin_link(struct state *s, struct link_message message) {
    int ends[2];
    if (!make_pipe_beside(ends, s->f->links))
        return 0;
    s->target = ends[1];
    message.descriptor = ends[0];
    s->frames_said = -1;
    s->frames_sent = 0;
    s->junk_bytes = 0;
    if (send_message(s, &message))
        return 1;
    close(ends[0]);
    return 0;
}

/* Fills the window. Returns false if nothing more comes. */
static int receive(struct state *s) {
    struct file_window *w = &s->window;
    w->bytes = rest_bytes(s);
    memmove(w->buffer, rest(s), (size_t)w->bytes);
    s->at = 0;
    const int64_t room = WINDOW_BYTES - w->bytes;
    if (s->first_left) {
        const int64_t count = s->first_left < room ? s->first_left : room;
        memcpy(w->buffer + w->bytes, s->f->first + s->f->first_bytes - s->first_left,
               (size_t)count);
        s->first_left -= count;
        w->bytes += count;
        return 1;
    }
    const int64_t got = read_some(s->f->source, s->target, w->buffer + w->bytes, room);
    w->bytes += got;
    s->is_at_end = got == 0;
    if (s->is_at_end)
        w->end = w->bytes;
    return got > 0;
}

/* ---- FLAC ---- */

/* libsndfile would stop where STREAMINFO says that the sound ends, which need not be true. */
static int begin_flac_link(struct state *s, unsigned char *begin) {
    struct link_message message = {.frames = -1, .is_flac = 1, .promised_frames = -1};
    struct flac_info info;
    if (flac_read_info(begin, &info)) {
        message.promised_frames = info.frames ? info.frames : -1;
        flac_forget_frames(begin);
    }
    return begin_link(s, message);
}

static enum step follow_flac(struct state *s) {
    unsigned char *bytes = s->window.buffer + s->at;
    const int64_t count = rest_bytes(s);
    const int64_t sound = s->target < 0 ? 0 : flac_begin_in(bytes, count);
    if (sound > 0)
        return send(s, sound);
    if (count >= FLAC_BEGIN_BYTES) {
        end_link(s, 0);
        return begin_flac_link(s, bytes) ? send(s, FLAC_BEGIN_BYTES) : IS_OVER;
    }
    if (count == 0 || !s->is_at_end)
        return WANTS_MORE;
    return s->target < 0 ? IS_OVER : send(s, count);
}

/* ---- Ogg ---- */

static void end_ogg_link(struct state *s) {
    end_link(s, !s->sound.is_ended);
    memset(&s->sound, 0, sizeof s->sound);
}

static int begin_ogg_link(struct state *s, unsigned char *page) {
    const struct link_message message = {.frames = -1, .promised_frames = -1};
    s->is_flac = ogg_is_first(page) && ogg_is_flac(page);
    return s->is_flac ? begin_flac_link(s, page + ogg_header_bytes(page) + OGG_FLAC_MAPPING_BYTES)
                      : begin_link(s, message);
}

/* libsndfile knows FLAC only without Ogg around it. */
static enum step send_without_page(struct state *s, const unsigned char *page, int is_first) {
    const int64_t bytes = ogg_page_bytes(page);
    const int64_t skipped = ogg_header_bytes(page) + (is_first ? OGG_FLAC_MAPPING_BYTES : 0);
    if (ogg_stream_number(page) != s->sound.stream)
        return drop(s, bytes);
    drop(s, skipped);
    return send(s, bytes - skipped);
}

static enum step drop_to_next_page(struct state *s) {
    const unsigned char *bytes = rest(s);
    const unsigned char *next = memchr(bytes + 1, 'O', (size_t)rest_bytes(s) - 1);
    return drop(s, next ? next - bytes : rest_bytes(s));
}

static enum step follow_ogg(struct state *s) {
    unsigned char *page = s->window.buffer + s->at;
    const int64_t count = rest_bytes(s);
    if (count < OGG_PAGE_HEADER_BYTES)
        return WANTS_MORE;
    if (!ogg_is_page(page, count))
        return drop_to_next_page(s);
    const int is_whole = ogg_is_whole(page, count);
    const unsigned char *next = ogg_page_behind(page, count);
    /* only what follows shows whether a page was cut off, or is the last one */
    if (!next && (!is_whole || ogg_is_last(page)) && !s->is_at_end)
        return WANTS_MORE;
    if (!is_whole)
        return drop_to_next_page(s);
    const int is_first = ogg_is_first(page);
    const int begins = s->target < 0 || (is_first && s->has_sound);
    if (begins)
        end_ogg_link(s);
    ogg_note_page(&s->sound, page);
    if (begins && !begin_ogg_link(s, page))
        return IS_OVER;
    s->has_sound = !is_first;
    ogg_mend(page, ogg_frames_before(&s->sound), next && ogg_goes_on(page, next));
    return s->is_flac ? send_without_page(s, page, is_first) : send(s, ogg_page_bytes(page));
}

/* ---- MPEG ---- */

/* An index is not sent on, since libsndfile loses frames behind one in a pipe; what it says of the
 * silence around the sound is. */
static enum step begin_at_index(struct state *s, const struct mpeg_frame *frame) {
    struct link_message message = {.promised_frames = -1};
    end_link(s, 0);
    message.frames = mpeg_frames_in_index(rest(s), frame, &message.skip_frames);
    if (!begin_link(s, message))
        return IS_OVER;
    s->promised_frames = message.frames;
    s->frames_said = message.frames < 0 ? -1 : mpeg_frames_said(rest(s), frame);
    return drop(s, frame->bytes);
}

static enum step follow_in_step(struct state *s) {
    const struct link_message message = {
        .frames = -1,
        .promised_frames = -1,
        .skip_frames = s->kind.layer == 3 ? MPEG_DECODER_DELAY : 0,
    };
    struct mpeg_frame frame;
    if (rest_bytes(s) < MPEG_HEADER_BYTES)
        return WANTS_MORE;
    if (!mpeg_parse(rest(s), &frame) || !mpeg_are_alike(&frame, &s->kind)) {
        s->is_in_step = 0;
        return GO_ON;
    }
    if (rest_bytes(s) < frame.bytes)
        return WANTS_MORE;
    if (mpeg_is_index(rest(s), frame.bytes, &frame))
        return begin_at_index(s, &frame);
    if (s->target < 0 && !begin_link(s, message))
        return IS_OVER;
    ++s->frames_sent;
    return send(s, frame.bytes);
}

/* Leaves out what is no sound, nor a tag. */
static enum step drop_junk(struct state *s, int64_t count) {
    for (int64_t i = 0; i < count; ++i)
        s->gap_is_junk |= rest(s)[i] != 0;
    s->gap_bytes += count;
    return drop(s, count);
}

/* Takes a frame for one, if others follow it. */
static enum step try_step(struct state *s, const struct mpeg_frame *frame) {
    const int is_expected = s->target >= 0 && mpeg_are_alike(frame, &s->kind);
    if (!mpeg_is_sure(&s->window, s->at, is_expected))
        return rest_bytes(s) < MPEG_LOOK_AHEAD_BYTES && !s->is_at_end ? WANTS_MORE
                                                                      : drop_junk(s, 1);
    if (is_expected)
        s->junk_bytes += s->gap_is_junk ? s->gap_bytes : 0;
    else
        end_link(s, 0);
    s->gap_bytes = 0;
    s->gap_is_junk = 0;
    s->kind = *frame;
    s->is_in_step = 1;
    return GO_ON;
}

/* Looks for the next frame, past what is no sound. */
static enum step find_step(struct state *s) {
    const unsigned char *bytes = rest(s);
    const int64_t count = rest_bytes(s);
    struct mpeg_frame frame;
    if (count < MPEG_HEADER_BYTES || (count < MPEG_TAG_LOOK_AHEAD_BYTES && !s->is_at_end))
        return WANTS_MORE;
    const int64_t tag = mpeg_tag_at(&s->window, s->at);
    if (tag && tag < LONGEST_TAG_BYTES) {
        s->skip_bytes = tag;
        return GO_ON;
    }
    if (mpeg_parse(bytes, &frame))
        return try_step(s, &frame);
    int64_t i = 1;
    while (i < count && bytes[i] != 0xFF && !memchr("IAT", bytes[i], 3))
        ++i;
    return drop_junk(s, i);
}

static enum step follow_mpeg(struct state *s) {
    if (!s->skip_bytes)
        return s->is_in_step ? follow_in_step(s) : find_step(s);
    const int64_t count = s->skip_bytes < rest_bytes(s) ? s->skip_bytes : rest_bytes(s);
    s->skip_bytes -= count;
    drop(s, count);
    return s->skip_bytes ? WANTS_MORE : GO_ON;
}

void follower_run(const struct follower *f) {
    struct state s = {.f = f, .first_left = f->first_bytes, .target = -1};
    enum step step = WANTS_MORE;
    make_room(f->links, MESSAGES_AHEAD_BYTES);
    s.frames_said = -1;
    s.window.descriptor = -1;
    s.window.end = INT64_MAX;
    do {
        if (step == WANTS_MORE && !receive(&s))
            step = s.is_at_end ? GO_ON : IS_OVER;
        if (step != IS_OVER)
            step = f->format == FOLLOW_OGG    ? follow_ogg(&s)
                   : f->format == FOLLOW_FLAC ? follow_flac(&s)
                                              : follow_mpeg(&s);
    } while (step == GO_ON || (step == WANTS_MORE && !s.is_at_end));
    /* MPEG: what is left in step is the part of a frame */
    end_link(&s, f->format == FOLLOW_OGG ? !s.sound.is_ended : s.is_in_step && rest_bytes(&s) > 0);
    close(f->links);
}
