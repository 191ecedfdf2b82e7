"""The manual's examples; see `manual` for how they are marked up. A test has the parser read each command."""

EXAMPLES = """\
Record until Ctrl-C, and for ten minutes:

    pastream null take.wav
    pastream null take.flac -d 10:00

Record channels 3 and 4 of an interface, in 24 bits; record one channel:

    pastream -D "Scarlett" -m 3,4 -e pcm_24 null guitars.wav
    pastream -c 1 null voice.wav

Play on one device and record from another, as `-l` names them:

    pastream -D '"pulse, ALSA","Scarlett, ALSA"' click.wav song.wav

Play a sweep and record the room's answer, with two seconds to fade away:

    pastream sweep.wav room.wav -p 2

Play raw data:

    pastream -c1 -r48k -e=pcm_16 take.raw
    pastream -c1 -r48k -e=pcm_16 -t raw take.bin

Try it without hardware: one second of a tone, at once:

    pastream -D virtual:sine=440:fast -d 1 null tone.wav

# In the field

A new file every half an hour, more latency for fewer wake-ups of the processor, and a computer that does not sleep
meanwhile.
In `tmux` or `screen` the take outlives the window that it was started in.

    systemd-inhibit pastream null 'dawn-{date}-{time}.flac' --split 30:00 --latency 2

# With sox and others

Play what they make, hand a recording on, change a file at once and not in real time:

    sox -n -t au - synth 10 sine 440 | pastream -
    pastream null - -t au | ffmpeg -i - take.opus
    sox in.mp3 -t au - reverb | pastream - -t wav -D virtual:fast - >out.wav

# Over ssh

`-t` brings the meter and the keys; without it Ctrl-C would end ssh alone and leave the recording running.
Sound passes through `ssh` as through any pipe.

    ssh -t studio pastream null take.wav
    ssh studio pastream -q null - -t au -d 10:00 >take.au
    sox take.flac -t au - | ssh studio pastream -q -

# From cron

Every day at six for an hour.
cron has a short PATH and does not know where the sound server of a user listens, so both have to be said.
It turns `%` into a new line, for which reason fields in names have braces.
What is lost and what fails comes by mail, and nothing else with `-q`.

    XDG_RUNTIME_DIR=/run/user/1000
    PATH=/usr/local/bin:/usr/bin:/bin
    0 6 * * * pastream -q -d 1:00:00 null $HOME/news/{date}.flac

A sound server ends with the session of its user, unless `loginctl enable-linger` keeps it.
A card that no server holds needs no more than the group `audio`: `-D hw:1,0`.

# From a systemd timer

The same: in `~/.config/systemd/user` a unit `news.service`

    [Service]
    ExecStart=/usr/local/bin/pastream -d 1:00:00 null %h/news/{date}.flac

and `news.timer`, to be switched on by `systemctl --user enable --now news.timer`.
`systemctl --user stop news` ends a take before its time, in order; the journal has its banner, losses and summary.

    [Timer]
    OnCalendar=06:00
    [Install]
    WantedBy=timers.target

# In a script

Was anything lost?

    pastream null take.wav -d 60 -q --json | jq -e '.exit_code == 0 and .lost_frames + .missing_frames == 0'
"""
